"""`swesmith-gym issues`: problem statements for a task table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from swesmith_gym.cli import common
from swesmith_gym.cli.common import JsonOption, SandboxOption, WorkersOption, group
from swesmith_gym.cli.lm_options import PromptsOption, asking_a_model, connected_if
from swesmith_gym.lm import LMSettings

app = group("Write the problem statements that agents read.")


@app.command()
@asking_a_model
def write(
    tasks: Annotated[Path, typer.Argument(help="A task table.")],
    lm: LMSettings,
    mode: Annotated[str, typer.Option("--mode", help="static, tests, lm or pr.")] = "tests",
    out: Annotated[Path | None, typer.Option("--out", help="Default: the table itself.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another seed gives other wordings.")] = 0,
    prompts: PromptsOption = None,
    workers: WorkersOption = common.DEFAULT_WORKERS,
    sandbox: SandboxOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Write a problem statement for every task of a table. Resumes after Ctrl-C.

    A mode that finds nothing to say about a task leaves it to `tests`, and that one to `static`: the column
    `statement_mode` of the table says which it was, and why.

    Example: `swesmith-gym issues write tasks.parquet --mode tests --out tasks.parquet`

    Example: `swesmith-gym issues write tasks.parquet --mode lm --base-url http://127.0.0.1:8000/v1 --model NAME`
    """
    from swesmith_gym import sandboxes
    from swesmith_gym.issues import check_mode, from_lm
    from swesmith_gym.pipeline import statements
    from swesmith_gym.pipeline.workplace import Workplace
    from swesmith_gym.tasks import TaskTable

    check_mode(mode)
    with connected_if(mode == "lm", lm) as model, common.progress_bar("issues") as bar:
        writing = statements.Writing(mode, seed, model, from_lm.prompt(prompts))
        job = statements.StatementJob(TaskTable.read(tasks), out or tasks, writing)
        place = Workplace(sandboxes.backend(sandbox), common.executor(workers, sandbox), common.say, bar)
        _, written = statements.run(job, place)
    found = statements.summary(job, written)
    if as_json:
        common.print_json(found)
    else:
        common.say(_closing_line(found))


def _closing_line(found: dict[str, Any]) -> str:
    modes = ", ".join(f"{count} {mode}" for mode, count in found["written"].items()) or "none"
    because = ", ".join(f"{count} {reason}" for reason, count in found["instead_because"].items())
    cost = "" if found["cost_usd"] == 0 else f"; {_dollars(found['cost_usd'])}"
    instead = f"; not as asked: {because}" if because else ""
    return f"{found['tasks']} problem statements in {found['out']} ({modes}{instead}{cost})"


def _dollars(cost: float | None) -> str:
    return "cost unknown" if cost is None else f"${cost:.4f}"
