"""The transcript of an installer's work: a file of JSON lines, on disk as it goes on, later beside the profile.

What stands in it was said by a model or printed by a repository: it is shown to people, and nothing is decided by it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from swesmith_gym import jsonl
from swesmith_gym.home import home
from swesmith_gym.records import summed
from swesmith_gym.visible import shortened

MOST_CHARS = 20_000
"""Of one text in a line."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command that was run, as the sandbox says."""

    text: str
    exit_code: int | None
    """None: it was ended, by the time limit for one."""


class Transcript:
    """One attempt that goes on. Opened by whoever starts the installer, and closed by it."""

    def __init__(self, path: Path) -> None:
        """A new one in place of an earlier one. Raises: InputError (another process writes there), OSError."""
        self.path = path
        self._file = jsonl.exclusive(path)
        os.truncate(path, 0)
        self.steps = 0
        """Answers of the model."""
        self.cost_usd: float | None = 0.0
        """Of them all; None: at least one has no price."""

    def note(self, kind: str, **facts: Any) -> None:
        """Add a line. Raises: OSError."""
        texts = {name: shortened(value, MOST_CHARS) for name, value in facts.items() if isinstance(value, str)}
        self._file.append({"kind": kind, **facts, **texts})

    def note_reply(self, text: str, cost_usd: float | None) -> None:
        """Add an answer of the model, and count it."""
        self.steps += 1
        self.cost_usd = summed((self.cost_usd, cost_usd))
        self.note("reply", step=self.steps, text=text, cost_usd=cost_usd)

    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def place(name: str) -> Path:
    """Where the transcript of the last attempt at a repository is."""
    return home() / "logs" / f"agent-{name}.jsonl"


def commands(path: Path) -> list[Command]:
    """The commands of a transcript that were run, in order. Lines that are damaged are left out; none: no file."""
    found = []
    for _, raw in jsonl.lines(path):
        try:
            row = json.loads(raw)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict) and row.get("kind") == "command" and isinstance(row.get("command"), str):
            code = row.get("exit_code")
            found.append(Command(row["command"], code if isinstance(code, int) else None))
    return found
