"""Is a sealed tree's suite still collected? Only the test files that are touched are collected, in a worker."""

from __future__ import annotations

from dataclasses import dataclass, field

from swesmith_gym.errors import SandboxDied
from swesmith_gym.harness.gold import GOLD, gold_suite, note_gold_suite
from swesmith_gym.harness.impact import Impact
from swesmith_gym.harness.runs import Files
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.worker import COLLECT_S, Step, Worker, WorkerLost, Workers, close_suite, open_suite, run_suite
from swesmith_gym.records import TestReport
from swesmith_gym.tasks.sealing import SealedTree

SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class SealedSuites:
    """Suites of sealed trees, for a moment each."""

    testbed: Testbed
    impact: Impact
    workers: Workers
    _known: dict[tuple[tuple[str, bytes | None], ...], frozenset[str]] = field(default_factory=dict)
    """What was found for a surface: bugs of one function often break the same tests."""

    def collected(self, sealed: SealedTree, surface: Files) -> frozenset[str] | None:
        """See `Runs.collected`. None: the full run has to tell."""
        key = tuple(sorted(surface.items()))
        found = self._known.get(key)
        if found is None:
            found = self._collected(sealed, surface)
            if found is not None:
                self._known[key] = found
        return found

    def _collected(self, sealed: SealedTree, surface: Files) -> frozenset[str] | None:
        touched = self.impact.files_touched_by(surface)
        module_of = self.testbed.language.module_of
        if not touched.issuperset(set(map(module_of, sealed.hidden_tests)) & self.impact.files.keys()):
            return None
        others = frozenset(test for test in self.testbed.countable if module_of(test) not in touched)
        left = frozenset(path for path in touched if surface.get(path, b"") is not None)
        if not left:
            return others
        wanted = self.testbed.countable - frozenset(sealed.hidden_tests)
        try:
            with self.workers.one() as worker:
                found = self._again(worker, surface, left)
                if found is None or (found | others) & self.testbed.countable != wanted:
                    found = self._from_the_start(worker, surface, left)
        except (WorkerLost, SandboxDied):
            return None
        return found | others

    def _again(self, worker: Worker, surface: Files, left: frozenset[str]) -> frozenset[str] | None:
        """In a fork of the pristine suite. None: it cannot tell."""
        if not worker.suites_stay or any(path not in left and surface[path] is not None for path in surface):
            return None
        opened = open_suite(SEALED, surface, limit_s=COLLECT_S, of=GOLD, again=left)
        *gold, first, _ = worker.ask(*gold_suite(worker), opened, close_suite(SEALED))
        note_gold_suite(worker, gold)
        if first["state"] != "collected":
            return None
        report = self._read(worker.read(opened["report"]))
        return None if report.broken_modules else frozenset(report.collected)

    def _from_the_start(self, worker: Worker, surface: Files, left: frozenset[str]) -> frozenset[str]:
        """In a suite of its own. Raises: WorkerLost, SandboxDied."""
        others = self.testbed.test_files - left
        opened = open_suite(SEALED, surface, left_out=others, limit_s=COLLECT_S, asserts=False)
        none: Step = run_suite(SEALED, [], self.testbed.cpu_limits(()), limit_s=COLLECT_S)
        _, ran, _ = worker.ask(opened, none, close_suite(SEALED))
        report = self._read(worker.ran(none, ran).reports[0]) if ran["state"] == "done" else None
        if report is None or not report.finished:
            raise WorkerLost("the sealed suite was not collected")
        return frozenset(report.collected)

    def _read(self, raw: bytes) -> TestReport:
        return self.testbed.language.parse_report(raw, exit_code=0, timed_out=False, duration_s=0.0, log="")
