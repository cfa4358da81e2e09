"""Trajectories on disk: one JSON object a line, appended and flushed as episodes end; a torn last line is dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

from swesmith_gym import jsonl
from swesmith_gym.errors import InputError
from swesmith_gym.home import write_atomic
from swesmith_gym.records import Step, Trajectory

FILE_NAME = "trajectories.jsonl"
SETTINGS_NAME = "rollout.json"
"""Agent -> the settings that its trajectories here were played under."""


class TrajectoryStore:
    """The trajectories of one folder. One writer at a time; readers see whole lines only."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.path = self.folder / FILE_NAME

    def append(self, trajectory: Trajectory) -> None:
        """Add one; on disk when this returns. Raises: OSError."""
        jsonl.append(self.path, _keyed(asdict(trajectory)), _plain)

    def __iter__(self) -> Iterator[Trajectory]:
        """All of them, oldest first. Raises: InputError (a line that is no trajectory)."""
        for number, line in jsonl.lines(self.path):
            yield _trajectory(line, f"{self.path} line {number}")

    def latest(self) -> list[Trajectory]:
        """One for each agent, task and seed: an episode that was played again supersedes the one before.

        Raises: as iterating.
        """
        return list({(each.agent, each.instance_id, each.seed): each for each in self}.values())

    def bind(self, agent: str, settings: Mapping[str, Any], *, fresh: bool) -> None:
        """Note the settings that an agent plays under. `fresh`: nothing of it is kept, so that others may follow.

        Raises: InputError (what is kept was played under other settings), OSError.
        """
        path = self.folder / SETTINGS_NAME
        try:
            known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            before = known.get(agent, settings)
        except (ValueError, AttributeError) as error:
            raise InputError(f"{path}: not the settings of a rollout ({error}); delete it") from error
        if not fresh and before != settings:
            was = ", ".join(f"{name} {before.get(name)}" for name in settings if before.get(name) != settings[name])
            raise InputError(
                f"{self.path} was played under other settings ({was}): repeat them, or choose another --out"
            )
        write_atomic(path, json.dumps({**known, agent: dict(settings)}, indent=1) + "\n")


def _plain(value: Any) -> Any:
    """What stands for a value that JSON lacks: agents may act with anything, and the episode is kept all the same."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return repr(value)


def _keyed(value: Any) -> Any:
    """`value` with text for the keys of every dictionary in it."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else repr(key): _keyed(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_keyed(each) for each in value]
    return value


def _trajectory(line: bytes, where: str) -> Trajectory:
    try:
        row = json.loads(line)
        steps = tuple(Step(**step) for step in row.pop("steps"))
        return Trajectory(steps=steps, **{f.name: row[f.name] for f in fields(Trajectory) if f.name != "steps"})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{where}: not a trajectory ({error})") from error
