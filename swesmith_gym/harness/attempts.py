"""Runs of a suite with a submission in it, until one comes to its end, and the control run without any."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass

from swesmith_gym.errors import GradingFault, SandboxDied, SandboxUnavailable
from swesmith_gym.harness.run import run_tests
from swesmith_gym.harness.tampering import Watch
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import FileChange, TestReport
from swesmith_gym.sandboxes.base import Sandbox

ATTEMPTS = 3


class CannotBeLaid(Exception):
    """The submission's files do not fit into a tree; the text says which."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """What became of all tries together."""

    report: TestReport | None
    """The first that is whole, else the last one; None: there is none."""
    ends: tuple[str, ...]
    """How the others ended."""


def whole(report: TestReport | None) -> bool:
    """The runner said its own end, or said that nothing can be collected."""
    return report is not None and (report.finished or "" in report.broken_modules)


@dataclass(frozen=True, slots=True)
class Bench:
    """Where submissions are run: each in a process of its own, in a fresh sandbox of this testbed."""

    testbed: Testbed

    def run_to_its_end(
        self,
        changes: tuple[FileChange, ...],
        watch: Watch,
        again: Callable[[TestReport], bool] = lambda report: False,
    ) -> Attempts:
        """Up to ATTEMPTS runs: until one is whole and `again` does not ask for another, or is too slow.

        Raises: CannotBeLaid, GradingFault (this host starts no sandbox, or has no room).
        """
        report, ends = None, []
        for _ in range(ATTEMPTS):
            try:
                report = self.run(changes, watch)
            except SandboxDied as death:
                ends.append(f"the sandbox died ({death})")
                continue
            if report.timed_out:  # the control run tells whether the host was too slow
                break
            if not whole(report):
                ends.append(f"exit code {report.exit_code}, report torn")
            elif not again(report):
                break
        return Attempts(report, tuple(ends))

    def control(self, watch: Watch) -> TestReport:
        """Run the pristine tree, with nothing in it but what `watch` plants.

        Raises: GradingFault (it cannot be run either: the host is the cause).
        """
        try:
            return self.run((), watch)
        except SandboxDied as again:
            repo = self.testbed.image.repo
            raise GradingFault(f"{repo}: the pristine tree cannot be graded either: {again}") from again

    def run(self, changes: tuple[FileChange, ...], watch: Watch) -> TestReport:
        """One run. Raises: SandboxDied, CannotBeLaid, GradingFault."""
        testbed = self.testbed
        with self._start() as sandbox:
            try:
                sandbox.apply((*changes, *watch.changes))
            except SandboxDied:
                raise
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise GradingFault(f"the disk is full: {error}") from error
                raise CannotBeLaid(str(error)) from error
            setup, limit_s = testbed.image.test, testbed.time_limit_s
            return run_tests(sandbox, testbed.language, setup, texts=False, timeout_s=limit_s, left_out=watch.left_out)

    def _start(self) -> Sandbox:
        try:
            return self.testbed.start()
        except SandboxDied:
            raise
        except (SandboxUnavailable, OSError) as error:
            raise GradingFault(f"no sandbox starts on this host: {error}") from error
