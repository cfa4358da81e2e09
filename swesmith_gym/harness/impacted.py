"""Runs of what a candidate can reach, in forks of a runner that stays. All other tests do what they did before."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from swesmith_gym.errors import SandboxDied
from swesmith_gym.harness.gold import GOLD, GoldRuns, gold_suite, note_gold_suite
from swesmith_gym.harness.impact import Changes, Impact
from swesmith_gym.harness.runs import Attempt, Files, FullRuns, Reruns, Runs
from swesmith_gym.harness.sealed import SealedSuites
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.worker import COLLECT_S, Step, Worker, WorkerLost, Workers, close_suite, open_suite, run_suite
from swesmith_gym.records import TestReport
from swesmith_gym.tasks import sealing
from swesmith_gym.tasks.sealing import SealedTree

BUG = "bug"
REFUSED: Step = {"state": "refused"}
RUN_S = 10.0
"""Wall time of a run beyond ten times what its tests take."""


class ImpactedRuns(Runs):
    """Where a run does not come to its end, or the worker does not, the full run decides."""

    def __init__(
        self,
        testbed: Testbed,
        impact: Impact,
        *,
        timeout_s: float | None = None,
        whole: bool = True,
        most_broken: float | None = None,
    ) -> None:
        """`whole`: a candidate whose test files are not all collected is not run any further: it is rejected, since
        tests that it does not reach pass. `most_broken`: share of the passing tests that may fail before a run ends."""
        self.testbed = testbed
        self.impact: Impact = impact
        self._full = FullRuns(testbed, timeout_s)
        self._timeout_s = timeout_s
        self._whole = whole
        self._unknown = impact.unknown(testbed.image.baseline)
        most = testbed.part_of_passing(most_broken)
        self._most_broken = None if most is None else most + len(self._unknown)
        self._workers = Workers(testbed, impact.loaded)
        self._gold = GoldRuns()
        self._sealed = SealedSuites(testbed, impact, self._workers)
        self._order = {test: at for at, test in enumerate(testbed.image.baseline)}

    def close(self) -> None:
        self._workers.close()

    def selected(self, files: Files) -> list[str]:
        """Tests that these files can reach, in the suite's order, and all of which that is not known.

        Tests that do not count are among these: one that never ends with the bug ends the full run as well.
        """
        return sorted(self._reached(files) | self._unknown, key=self._order.__getitem__)

    def reaches(self, files: Files) -> bool:
        """A test that counts is known to have to do with what these files change."""
        return bool(self._reached(files))

    def _reached(self, files: Files) -> frozenset[str]:
        found = self.impact.reached(self._changes(files), self.testbed.language)
        return self.testbed.passing if found is None else self.testbed.passing & found

    def _changes(self, files: Files) -> Changes:
        before = sealing.reader(self.testbed.pristine)
        return {path: (before(path), data) for path, data in files.items()}

    @contextmanager
    def on(self, files: Files) -> Iterator[Attempt]:
        tests = self.selected(files)
        if not tests:
            yield _Unreached(self._merged(TestReport({}, (), {}, True, 0, False, 0.0), ()))
            return
        attempt = self._attempt(files, tests)
        if attempt is None:
            with self._full.on(files) as full:
                yield full
            return
        try:
            yield attempt
        finally:
            attempt.end()

    def _attempt(self, files: Files, tests: list[str]) -> _Attempt | None:
        """None: the full run has to tell."""
        try:
            worker = self._workers.take()
        except WorkerLost:
            return None
        report = None
        try:
            report = self._first(worker, files, tests)
        except (WorkerLost, SandboxDied):
            pass
        finally:
            if report is None:
                worker.fit = False
                self._workers.put(worker)
        return None if report is None else _Attempt(self, self._workers, worker, files, report)

    def _first(self, worker: Worker, files: Files, tests: list[str]) -> TestReport | None:
        """None: the run did not end as runs do. Raises: WorkerLost, SandboxDied."""
        ran = self._run(BUG, tests, texts=True)
        opened, first, second = self._exchanged(worker, files, ran)
        if first["state"] != "ready":
            opened = self._collected(files, tests)
            first, second = worker.ask(opened, ran)
        language = self.testbed.language
        if first["state"] == "ended":
            raw = worker.read(opened["report"])
            report = language.parse_report(raw, exit_code=2, timed_out=False, duration_s=0.0, log="")
            return self._merged(replace(report, finished=True), tests) if report.broken_modules else None
        if first["state"] != "ready" or second["state"] != "done":
            return None
        raw = worker.ran(ran, second).reports[0]
        report = language.parse_report(raw, exit_code=0, timed_out=False, duration_s=float(ran["limit_s"]), log="")
        return self._merged(report, tests) if report.finished else None

    def _exchanged(self, worker: Worker, files: Files, ran: Step) -> tuple[Step, Step, Step]:
        """Open the suite in the process of the pristine one, if that can be, and run."""
        opened = open_suite(BUG, files, limit_s=COLLECT_S, of=GOLD)
        if not worker.suites_stay or not self.impact.exchangeable(self._changes(files), self.testbed.language):
            return opened, REFUSED, REFUSED
        *gold, first, second = worker.ask(*gold_suite(worker), opened, ran)
        note_gold_suite(worker, gold)
        return opened, first, second

    def _collected(self, files: Files, tests: Collection[str]) -> Step:
        """Opens a suite of the test files that are needed."""
        needed = self._files_of(tests)
        return open_suite(
            BUG,
            files,
            left_out=self.testbed.test_files.difference(needed),
            limit_s=COLLECT_S,
            whole=needed if self._whole and not self.testbed.passing.issubset(tests) else (),
        )

    def _merged(self, report: TestReport, tests: Collection[str]) -> TestReport:
        """With what the other tests did before; where nothing can be collected, they cannot either."""
        if "" in report.broken_modules:
            return report
        chosen = frozenset(tests)
        baseline = self.testbed.image.baseline
        others = {test: baseline[test] for test in self._order if test in self.testbed.passing and test not in chosen}
        return replace(report, results={**others, **report.results})

    def _files_of(self, tests: Collection[str]) -> frozenset[str]:
        return frozenset(map(self.testbed.language.module_of, tests))

    def _run(self, suite: str, tests: list[str], times: int = 1, *, texts: bool = False) -> Step:
        spent = sum(self.testbed.image.baseline[test].duration_s for test in tests)
        limit_s = self._timeout_s or RUN_S + 10 * spent
        return run_suite(
            suite,
            tests,
            self.testbed.cpu_limits(tests, self.impact.cpu_s),
            limit_s=limit_s,
            times=times,
            texts=texts,
            most_broken=self._most_broken,
        )

    def again(self, worker: Worker, files: Files, tests: Collection[str], times: int) -> Reruns:
        """`Attempt.again`, in the worker whose suite with the bug is open; it is closed then."""
        chosen = sorted(tests, key=self._order.__getitem__)
        bug = self._run(BUG, chosen, times)
        try:
            found = self._reports(worker, bug, worker.ask(bug, close_suite(BUG))[0])
            self._run_gold(worker, self._gold.missing(chosen, times), times)
        except (WorkerLost, SandboxDied):
            worker.fit = False
            with self._full.on(files) as full:
                return full.again(tests, times)
        return Reruns(found, self._gold.reports(chosen, times))

    def _run_gold(self, worker: Worker, tests: list[str], times: int) -> None:
        """In the suite of the pristine tree. Raises: WorkerLost, SandboxDied."""
        if not tests:
            return
        ran = self._run(GOLD, tests, times)
        if worker.suites_stay:
            *gold, answer, _ = worker.ask(*gold_suite(worker), ran, close_suite(None))
            note_gold_suite(worker, gold)
        if not worker.suites_stay:
            *_, answer, _ = worker.ask(*gold_suite(worker), ran, close_suite(GOLD))
        self._gold.learn(tests, self._reports(worker, ran, answer))

    def _reports(self, worker: Worker, step: Step, answer: Step) -> tuple[TestReport, ...]:
        if answer["state"] not in ("done", "timeout"):
            raise WorkerLost(f"the runs ended as {answer['state']}")
        parse = self.testbed.language.parse_report
        return tuple(
            parse(raw, exit_code=0, timed_out=answer["state"] != "done", duration_s=0.0, log="")
            for raw in worker.ran(step, answer).reports
        )

    def collected(self, sealed: SealedTree, surface: Files) -> frozenset[str]:
        found = self._sealed.collected(sealed, surface)
        return self._full.collected(sealed, surface) if found is None else found


@dataclass(slots=True)
class _Attempt:
    runs: ImpactedRuns
    workers: Workers
    worker: Worker
    files: Files
    report: TestReport
    open: bool = True
    """The suite with the bug in it waits."""

    def again(self, tests: Collection[str], times: int) -> Reruns:
        self.open = False
        return self.runs.again(self.worker, self.files, tests, times)

    def end(self) -> None:
        """Close the suite and give the worker back."""
        try:
            if self.open and self.worker.fit:
                self.worker.ask(close_suite(BUG))
        except (WorkerLost, SandboxDied):
            self.worker.fit = False
        self.workers.put(self.worker)


@dataclass(frozen=True, slots=True)
class _Unreached:
    report: TestReport

    def again(self, tests: Collection[str], times: int) -> Reruns:
        raise AssertionError(f"no test was reached: {len(tests)} tests cannot be run {times} times")
