"""Trajectories on disk: one JSON object a line, appended and flushed as episodes end; a torn last line is dropped."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

from swesmith_gym.errors import InputError
from swesmith_gym.records import Step, Trajectory

FILE_NAME = "trajectories.jsonl"


class TrajectoryStore:
    """The trajectories of one folder. One writer at a time; readers see whole lines only."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.path = self.folder / FILE_NAME

    def append(self, trajectory: Trajectory) -> None:
        """Add one; on disk when this returns. Raises: OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._cut_torn_line()
        line = json.dumps(asdict(trajectory), ensure_ascii=True, default=_plain) + "\n"
        with self.path.open("a", encoding="ascii") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def __iter__(self) -> Iterator[Trajectory]:
        """All of them, oldest first. Raises: InputError (a line that is no trajectory)."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    yield _trajectory(line, f"{self.path} line {number}")

    def _cut_torn_line(self) -> None:
        """A driver that was killed while writing leaves half a line: what is appended must not continue it."""
        if not self.path.exists():
            return
        data = self.path.read_bytes()
        if data and not data.endswith(b"\n"):
            os.truncate(self.path, data.rfind(b"\n") + 1)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise TypeError(f"{type(value).__name__} cannot be stored in a trajectory")


def _trajectory(line: bytes, where: str) -> Trajectory:
    try:
        row = json.loads(line)
        steps = tuple(Step(**step) for step in row.pop("steps"))
        return Trajectory(steps=steps, **{f.name: row[f.name] for f in fields(Trajectory) if f.name != "steps"})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{where}: not a trajectory ({error})") from error
