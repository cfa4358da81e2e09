"""From a task to what an episode needs of it: the testbed of its image, and its sealed tree on disk."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock

from swesmith_gym import sandboxes
from swesmith_gym.errors import GradingFault, TaskTableError
from swesmith_gym.harness.grade import required
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import TaskInstance
from swesmith_gym.repos.resolve import testbed_of
from swesmith_gym.sandboxes.base import SandboxSpec
from swesmith_gym.tasks import sealing
from swesmith_gym.tasks.sealing import HideTests, SealedTree

_log = logging.getLogger("swesmith_gym")
_preparing = tuple(Lock() for _ in range(64))
"""A task is prepared under one of these, so that threads that ask for the same one do the work once."""


@dataclass(frozen=True, slots=True)
class TaskTestbed:
    """A task, ready to be played."""

    task: TaskInstance
    testbed: Testbed
    sealed: SealedTree
    spec: SandboxSpec
    """Starts a sandbox on the sealed tree."""


@dataclass(frozen=True, slots=True)
class UnwrittenTask:
    """A task whose sealed tree is known, but not on disk: enough for grading a patch."""

    testbed: Testbed
    sealed: SealedTree


@lru_cache(maxsize=64)
def prepare_unwritten(task: TaskInstance, *, backend: str, hide_tests: HideTests = "functions") -> UnwrittenTask:
    """Build the image if need be, and seal the tree in memory.

    Raises: ProfileError, SandboxUnavailable, TaskTableError (the row does not fit the repository).
    """
    testbed = testbed_of(task, sandboxes.backend(backend), lambda step: _say(f"building {task.repo}: {step}"))
    return UnwrittenTask(testbed, _seal(task, testbed, hide_tests))


def prepare(task: TaskInstance, *, backend: str, hide_tests: HideTests = "functions") -> TaskTestbed:
    """The same with the tree written to the state folder: the slow part of a first reset. Thread-safe.

    Raises: as `prepare_unwritten`, and SandboxError, OSError, TaskTableError (no FAIL_TO_PASS test passes on this
    host's build, so that the task cannot be graded).
    """
    with _preparing[hash(task) % len(_preparing)]:
        known = prepare_unwritten(task, backend=backend, hide_tests=hide_tests)
        try:
            required(task, known.testbed)
        except GradingFault as drift:
            raise TaskTableError(str(drift)) from drift
        folder: Path = sealing.materialize(known.sealed, known.testbed.backend, known.testbed.spec)
    return TaskTestbed(task, known.testbed, known.sealed, replace(known.testbed.spec, tree=folder))


def _seal(task: TaskInstance, testbed: Testbed, hide_tests: HideTests) -> SealedTree:
    """As at validation, which took out whole files where taking out functions would have broken the collection."""
    baseline = tuple(testbed.image.baseline)
    ways: tuple[HideTests, ...] = ("functions", "files") if hide_tests == "functions" else (hide_tests,)
    variants: list[SealedTree] = []
    for how in ways:
        sealed = sealing.seal(
            testbed.pristine, task.bug_patch, task.FAIL_TO_PASS, baseline, testbed.language, hide_tests=how
        )
        if hide_tests != "functions" or sealed.digest == task.sealed_digest:
            return sealed
        variants.append(sealed)
    if task.fingerprint != testbed.image.fingerprint:
        return variants[0]
    raise TaskTableError(
        f"{task.instance_id}: its sealed tree is not the one of the table (sealed_digest); "
        f"the row was changed, or made by another version: validate it again"
    )


def _say(text: str) -> None:
    """A build takes minutes: the one who waits for it is told, also where nothing has set up logging."""
    _log.info(text)
    if not _log.hasHandlers():
        sys.stderr.write(f"swesmith-gym: {text}\n")
        sys.stderr.flush()
