"""The job behind `issues write`: every task of a table gets a new problem statement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from swesmith_gym.errors import InputError
from swesmith_gym.issues.write import LATER, MODES, write
from swesmith_gym.repos.resolve import testbed_of
from swesmith_gym.sandboxes import SandboxBackend
from swesmith_gym.tasks import TaskTable
from swesmith_gym.tasks import tree as trees


def check_mode(mode: str) -> None:
    """Raises: InputError, before anything is run (no such mode, or not one of this version)."""
    if mode not in MODES:
        why = "is not available in this version" if mode in LATER else "does not exist"
        raise InputError(f"issue mode {mode!r} {why}: choose one of {', '.join(MODES)}")


def rewrite(
    table: TaskTable, backend: SandboxBackend, mode: str, seed: int, progress: Callable[[int, int], None]
) -> TaskTable:
    """The table with new statements. Builds environments that are not there yet. Raises: InputError, ProfileError."""
    check_mode(mode)
    tasks = []
    for number, task in enumerate(table, 1):
        testbed = testbed_of(task, backend)
        files = trees.contents(testbed.pristine)
        text = write(task, mode=mode, test_files=files, language=testbed.language, seed=seed)
        tasks.append(replace(task, problem_statement=text))
        progress(number, len(table))
    return TaskTable(tasks, table.name)
