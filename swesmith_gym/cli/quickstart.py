"""`swesmith-gym quickstart`: the main job on a real package, with nothing to set up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swesmith_gym.cli import common
from swesmith_gym.cli.common import JsonOption, RootFsOption, SandboxOption, TrustOption, WorkersOption

if TYPE_CHECKING:
    from swesmith_gym.pipeline.quickstart import QuickstartResult


def quickstart(
    out: Annotated[Path, typer.Option("--out", help="Folder for everything that is made.")] = Path("out/quickstart"),
    workers: WorkersOption = common.DEFAULT_WORKERS,
    created_at: Annotated[str | None, typer.Option("--created-at", help="Time stamp of the tasks (ISO 8601).")] = None,
    sandbox: SandboxOption = "auto",
    root_fs: RootFsOption = "",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Build an environment, make and validate bugs, write issues, play gold and nop, evaluate, and write a report.

    No daemon, no key, no question. Exit code 0 only if gold scored 1 and nop 0 on every task.

    Example: `swesmith-gym quickstart --out out`
    """
    del root_fs, trust  # their callbacks have told the environment
    from swesmith_gym import sandboxes
    from swesmith_gym.pipeline.provenance import grouped
    from swesmith_gym.pipeline.quickstart import run
    from swesmith_gym.pipeline.workplace import Workplace
    from swesmith_gym.viewer import render

    folder = common.out_folder(out)
    with common.progress_bar("quickstart") as bar:
        place = Workplace(sandboxes.backend(sandbox), common.executor(workers, sandbox), common.say, bar)
        result = run(folder, place, common.timestamp(created_at))
    report = render(
        list(result.tasks),
        result.trajectories,
        result.verdicts,
        folder / "report",
        title="swesmith-gym quickstart",
        dropped=grouped(result.rejected),
    )
    if as_json:
        rewards = [{"instance_id": t.instance_id, "agent": t.agent, "reward": t.reward} for t in result.trajectories]
        common.print_json({"ok": result.ok, "tasks": len(result.tasks), "report": str(report), "rewards": rewards})
    else:
        _print_table(result)
        typer.echo(f"report: {report.absolute()}")
    if not result.ok:
        raise typer.Exit(1)


def _print_table(result: QuickstartResult) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("task", "operator", "F2P", "P2P", "gold", "nop")
    reward = {(t.instance_id, t.agent): t.reward if t.reward_valid else "fault" for t in result.trajectories}
    for task in result.tasks:
        ends = [str(reward.get((task.instance_id, agent), "-")) for agent in ("gold", "nop")]
        counts = [str(len(task.FAIL_TO_PASS)), str(len(task.PASS_TO_PASS))]
        table.add_row(task.instance_id, task.operator or "-", *counts, *ends)
    Console().print(table)
