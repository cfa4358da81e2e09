"""Gradings of gold and nop in forks of runners that stay: nobody who could cheat is among them, so that nothing has to
begin anew for each. What is planted, what is run and what decides is the same as for a submission."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from swesmith_gym.errors import SandboxDied
from swesmith_gym.harness.attempts import Bench
from swesmith_gym.harness.tampering import Watch
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.worker import COLLECT_S, WorkerLost, Workers, close_suite, open_suite, run_suite
from swesmith_gym.languages.base import CpuLimits
from swesmith_gym.records import FileChange, TestReport

GRADED = "graded"


@dataclass(frozen=True, slots=True)
class WarmBench(Bench):
    """Thread-safe; `close` ends its workers. A run that does not come to its end there is done in a fresh sandbox."""

    workers: Workers

    @classmethod
    def of(cls, testbed: Testbed, loaded: Collection[str] = ()) -> WarmBench:
        """`loaded`: modules to load ahead (`Impact.loaded`)."""
        return cls(testbed, Workers(testbed, loaded))

    def close(self) -> None:
        """End all workers that wait."""
        self.workers.close()

    def run(self, changes: tuple[FileChange, ...], watch: Watch) -> TestReport:
        """See `Bench.run`."""
        try:
            with self.workers.one() as worker:
                files = {change.path: change.data for change in (*changes, *watch.changes)}
                opened = open_suite(GRADED, files, left_out=watch.left_out, limit_s=COLLECT_S, asserts=False)
                limit_s = self.testbed.time_limit_s
                ran = run_suite(GRADED, None, CpuLimits({}, limit_s), limit_s=limit_s)
                first, second, _ = worker.ask(opened, ran, close_suite(GRADED))
                if first["state"] == "ready" and second["state"] == "done":
                    found = worker.ran(ran, second)
                    return self._read(found.reports[0], found.exits[0])
        except (WorkerLost, SandboxDied):
            pass
        return Bench.run(self, changes, watch)

    def _read(self, raw: bytes, exit_code: int | None) -> TestReport:
        parse = self.testbed.language.parse_report
        return parse(raw, exit_code=exit_code, timed_out=False, duration_s=0.0, log="")
