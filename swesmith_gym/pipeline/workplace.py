"""Where a job works and whom it tells: what every job of this package is given besides its own settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from swesmith_gym.executors import Executor
from swesmith_gym.sandboxes import SandboxBackend


def _silent(*_: object) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """Made by whoever runs a job; shared by its steps."""

    backend: SandboxBackend
    executor: Executor
    say: Callable[[str], None] = _silent
    """Called with a line for people when a step begins."""
    progress: Callable[[int, int, str], None] = _silent
    """Called with finished items, all items, and a note."""
