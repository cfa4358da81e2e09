"""`swesmith-gym issues`: problem statements for a task table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swesmith_gym.cli import common
from swesmith_gym.cli.common import JsonOption, SandboxOption, group

app = group("Write the problem statements that agents read.")


@app.command()
def write(
    tasks: Annotated[Path, typer.Argument(help="A task table.")],
    mode: Annotated[str, typer.Option("--mode", help="static or tests.")] = "tests",
    out: Annotated[Path | None, typer.Option("--out", help="Default: the table itself.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another seed gives other wordings.")] = 0,
    sandbox: SandboxOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Write a problem statement for every task of a table.

    Example: `swesmith-gym issues write tasks.parquet --mode tests --out tasks.parquet`
    """
    from swesmith_gym import sandboxes
    from swesmith_gym.pipeline import statements
    from swesmith_gym.tasks import TaskTable

    statements.check_mode(mode)
    table = TaskTable.read(tasks)
    target = out or tasks
    with common.progress_bar("issues") as bar:
        statements.rewrite(table, sandboxes.backend(sandbox), mode, seed, bar).write(target)
    if as_json:
        common.print_json({"tasks": len(table), "mode": mode, "out": str(target)})
    else:
        common.say(f"{len(table)} problem statements ({mode}) in {target}")
