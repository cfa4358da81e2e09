"""The small task table that travels with the package, so that a fresh installation has something to play."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def starter_tasks() -> Path:
    """Path of the shipped starter table (Parquet)."""
    return Path(str(files("swesmith_gym").joinpath("starter/tasks.parquet")))
