"""Every bug of a table is validated anew, with re-runs: are FAIL_TO_PASS and PASS_TO_PASS what the table says?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swesmith_gym.evaluation.verify import identity
from swesmith_gym.executors import Executor
from swesmith_gym.harness.validate import ValidationSettings, validate_all
from swesmith_gym.home import read_object
from swesmith_gym.records import BugCandidate, RejectedCandidate, TaskInstance
from swesmith_gym.repos import impacts
from swesmith_gym.repos.resolve import testbed_of
from swesmith_gym.sandboxes import SandboxBackend
from swesmith_gym.tasks import TaskTable


@dataclass(frozen=True, slots=True)
class Recheck:
    """One task, validated anew."""

    instance_id: str
    difference: str = ""
    """From what the table says; empty: none."""


def recheck(
    tasks: Sequence[TaskInstance],
    executor: Executor,
    backend: SandboxBackend,
    progress: impacts.Progress,
    *,
    reruns: int,
) -> Iterator[Recheck]:
    """Each task, as it ends, in the environment of this host. `reruns`: how often the FAIL_TO_PASS tests are then run
    again, with the bug and without it. Raises: SandboxError, ProfileError, TaskTableError, OSError."""
    by_image: dict[str, list[TaskInstance]] = defaultdict(list)
    for task in tasks:
        by_image[task.image_key].append(task)
    for own in by_image.values():
        yield from _of_one(own, executor, backend, progress, reruns)


def _of_one(
    tasks: Sequence[TaskInstance], executor: Executor, backend: SandboxBackend, progress: impacts.Progress, reruns: int
) -> Iterator[Recheck]:
    testbed = testbed_of(tasks[0], backend)
    impact = impacts.for_many(testbed, len(tasks), executor, progress)
    settings = ValidationSettings(tasks[0].created_at, reruns=reruns)
    bugs = [BugCandidate(task.repo, task.strategy, task.operator, task.bug_patch) for task in tasks]
    with closing(impacts.runs(testbed, impact, timeout_s=None, whole=True)) as runs:
        for index, found in validate_all(bugs, runs, executor, settings):
            yield Recheck(tasks[index].instance_id, _difference(tasks[index], found))


def _difference(task: TaskInstance, found: TaskInstance | RejectedCandidate) -> str:
    if isinstance(found, RejectedCandidate):
        return f"rejected: {found.reason} {found.detail}".rstrip()
    for name in ("FAIL_TO_PASS", "PASS_TO_PASS"):
        before, now = (set(getattr(each, name)) for each in (task, found))
        if gone := sorted(before - now):
            return f"{len(gone)} tests are no longer in {name}: {gone[0]}"
        if new := sorted(now - before):
            return f"{len(new)} tests are new in {name}: {new[0]}"
    return ""


def done(path: Path, table: TaskTable, reruns: int) -> bool:
    """The file holds evidence of this very table, of every task, and nothing was different."""
    return read_object(path) == evidence(table, [Recheck(t.instance_id) for t in table], reruns)


def evidence(table: TaskTable, found: Sequence[Recheck], reruns: int) -> dict[str, Any]:
    """What is kept beside a table: how many tasks were looked at, and every one that is different now."""
    different = [{"instance_id": each.instance_id, "difference": each.difference} for each in found if each.difference]
    return {
        "table": identity(table),
        "tasks": len(table),
        "tasks_rechecked": len(found),
        "reruns": reruns,
        "different": sorted(different, key=lambda row: row["instance_id"]),
    }
