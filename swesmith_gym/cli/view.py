"""`swesmith-gym view`: a static HTML report of tasks and trajectories."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from swesmith_gym.cli import common
from swesmith_gym.cli.common import JsonOption
from swesmith_gym.errors import InputError


def view(
    source: Annotated[Path, typer.Argument(help="A task table, or a folder that holds tables and trajectories.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the report.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a static HTML report: tasks, statistics, episodes step by step.

    Example: `swesmith-gym view out/quickstart --open`
    """
    from swesmith_gym.pipeline import provenance
    from swesmith_gym.pipeline.candidates import read_rejected
    from swesmith_gym.tasks import TaskTable
    from swesmith_gym.trajectories import TrajectoryStore
    from swesmith_gym.trajectories.store import FILE_NAME
    from swesmith_gym.viewer import render

    if not source.exists():
        raise InputError(f"{source}: no such file or folder")
    folder = source if source.is_dir() else source.parent
    tables = sorted(source.rglob("*.parquet")) if source.is_dir() else [source]
    tasks = {task.instance_id: task for path in tables for task in TaskTable.read(path)}
    stores = sorted(source.rglob(FILE_NAME)) if source.is_dir() else []
    trajectories = [trajectory for path in stores for trajectory in TrajectoryStore(path.parent).latest()]
    if not tasks and not trajectories:
        raise InputError(f"{source}: there is neither a task table (*.parquet) nor a {FILE_NAME} in this folder")
    files = sorted(source.rglob("rejected.jsonl")) if source.is_dir() else []
    rejected = provenance.grouped(row for path in files for row in read_rejected(path))
    dropped = rejected if files else provenance.dropped(source) if tables else None
    title = f"swesmith-gym {source.resolve().name}"
    page = render(list(tasks.values()), trajectories, None, out or folder / "report", title=title, dropped=dropped)
    if as_json:
        common.print_json({"report": str(page), "tasks": len(tasks), "trajectories": len(trajectories)})
    else:
        typer.echo(f"report: {page.absolute()}")
    if open_:
        webbrowser.open(page.absolute().as_uri())
