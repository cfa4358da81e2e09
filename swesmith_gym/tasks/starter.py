"""The task tables that travel with the package, so that a fresh installation has tasks to play."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def starter_tasks() -> Path:
    """Path of the shipped table whose environment is built and graded soonest (Parquet)."""
    return shipped_tasks() / "tinydb.parquet"


def shipped_tasks() -> Path:
    """Folder of all shipped tables: `NAME.parquet` for each repository, with evidence, licences and provenance."""
    return Path(str(files("swesmith_gym").joinpath("tasks_data")))
