"""`swesmith-gym evaluate`: predictions in, a report out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from swesmith_gym.cli import common
from swesmith_gym.cli.common import JsonOption, SandboxOption, TrustOption, WorkersOption


def evaluate(
    tasks: Annotated[Path, typer.Option("--tasks", help="A task table.")],
    predictions: Annotated[str, typer.Option("--predictions", help="JSON Lines or JSON, or the word gold or nop.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the reports.")],
    workers: WorkersOption = common.DEFAULT_WORKERS,
    sandbox: SandboxOption = "auto",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Grade predictions. What stands in --out for the same task and patch is not graded again.

    Example: `swesmith-gym evaluate --tasks tasks.parquet --predictions preds.jsonl --out reports`
    """
    del trust  # its callback has told the environment
    from swesmith_gym.evaluation import predictions as files
    from swesmith_gym.evaluation.evaluate import evaluate as run
    from swesmith_gym.evaluation.evaluate import summary
    from swesmith_gym.home import write_atomic
    from swesmith_gym.tasks import TaskTable

    table = TaskTable.read(tasks)
    chosen = files.read(predictions, table)
    folder = common.out_folder(out)
    verdicts = []
    with common.progress_bar("evaluate") as bar:
        pool = common.executor(workers, sandbox)
        for verdict in run(table, chosen, folder, pool, sandbox=sandbox):
            verdicts.append(verdict)
            bar(len(verdicts), len(chosen), f"{sum(v.resolved for v in verdicts)} resolved")
    report = summary(verdicts)
    write_atomic(folder / "report.json", json.dumps(report, indent=1) + "\n")
    if as_json:
        common.print_json(report)
    else:
        common.say(
            f"{report['resolved']} of {report['total']} resolved, {report['violation']} violations, "
            f"{report['fault']} faults ({folder / 'report.json'})"
        )
    if report["fault"]:
        raise typer.Exit(1)
