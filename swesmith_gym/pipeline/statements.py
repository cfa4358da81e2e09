"""The job behind `issues write`: every task of a table gets a new problem statement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from swesmith_gym.issues.write import write
from swesmith_gym.repos.resolve import testbed_of
from swesmith_gym.sandboxes import SandboxBackend
from swesmith_gym.tasks import TaskTable
from swesmith_gym.tasks import tree as trees


def rewrite(
    table: TaskTable, backend: SandboxBackend, mode: str, seed: int, progress: Callable[[int, int], None]
) -> TaskTable:
    """The table with new statements. Builds environments that are not there yet. Raises: InputError, ProfileError."""
    tasks = []
    for number, task in enumerate(table, 1):
        testbed = testbed_of(task, backend)
        files = trees.contents(testbed.pristine)
        text = write(task, mode=mode, test_files=files, language=testbed.language, seed=seed)
        tasks.append(replace(task, problem_statement=text))
        progress(number, len(table))
    return TaskTable(tasks, table.name)
