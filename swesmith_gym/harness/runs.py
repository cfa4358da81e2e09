"""How candidates are run: the whole suite anew for each, or what the impact map says they can reach, in forks.

Both give the same reports; that they do is measured for each environment (`harness.exactness`).
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from swesmith_gym.errors import CandidateRejected, SandboxDied
from swesmith_gym.harness.impact import Impact
from swesmith_gym.harness.run import run_tests
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import TestReport
from swesmith_gym.tasks.sealing import SealedTree

Files = Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Reruns:
    """Runs of a few tests again."""

    bug: tuple[TestReport, ...]
    gold: tuple[TestReport, ...]
    """On the pristine tree; runs that another candidate has asked for count as well."""


class Attempt(Protocol):
    """One candidate in the tree."""

    @property
    def report(self) -> TestReport:
        """Of the suite with the bug in it."""
        ...

    def again(self, tests: Collection[str], times: int) -> Reruns:
        """Run some tests so many times more, with the bug and without it. Raises: SandboxDied."""
        ...


class Runs(ABC):
    """Runs candidates of one testbed. Thread-safe; `close` frees what it holds."""

    testbed: Testbed
    impact: Impact | None = None
    """What is known of the environment's tests."""

    @abstractmethod
    def on(self, files: Files) -> AbstractContextManager[Attempt]:
        """The suite with these files in the tree. Nothing may be raised in the context but what ends all.

        Raises: CandidateRejected (the files cannot be laid), SandboxDied, OSError (the host's disk is full).
        """

    @abstractmethod
    def collected(self, sealed: SealedTree, surface: Files) -> frozenset[str]:
        """Ids that are collected with these files of a sealed tree's test surface laid over the pristine tree."""

    def close(self) -> None:  # noqa: B027  (most hold nothing)
        """Free what is held."""


class FullRuns(Runs):
    """The whole suite for each candidate, in a fresh process in a fresh sandbox."""

    def __init__(self, testbed: Testbed, timeout_s: float | None = None, impact: Impact | None = None) -> None:
        """`timeout_s`: limit of a run; None: a multiple of the baseline's time."""
        self.testbed = testbed
        self.impact = impact
        self._timeout_s = timeout_s or testbed.time_limit_s

    @contextmanager
    def on(self, files: Files) -> Iterator[Attempt]:
        yield _FullAttempt(self, files, self.run(files))

    def run(self, files: Files, tests: Collection[str] | None = None) -> TestReport:
        """One run, of all tests or some. Raises: as `on`."""
        testbed = self.testbed
        with testbed.start() as sandbox:
            try:
                sandbox.apply(testbed.changes(dict(files)))
            except SandboxDied:
                raise
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise
                raise CandidateRejected(reason="patch_does_not_apply", detail=str(error)) from error
            return run_tests(
                sandbox,
                testbed.language,
                testbed.image.test,
                tests=tests,
                timeout_s=self._timeout_s,
                cpu_limits=testbed.cpu_limits(tests),
            )

    def collected(self, sealed: SealedTree, surface: Files) -> frozenset[str]:
        del sealed
        testbed = self.testbed
        with testbed.start(dict(surface)) as sandbox:
            report = run_tests(
                sandbox, testbed.language, testbed.image.test, timeout_s=testbed.time_limit_s, collect_only=True
            )
        return frozenset(report.collected)


@dataclass(frozen=True, slots=True)
class _FullAttempt:
    runs: FullRuns
    files: Files
    report: TestReport

    def again(self, tests: Collection[str], times: int) -> Reruns:
        bug, gold = ([self.runs.run(files, tests) for _ in range(times)] for files in (self.files, {}))
        return Reruns(tuple(bug), tuple(gold))
