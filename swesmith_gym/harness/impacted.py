"""Runs of what a candidate can reach, in forks of a runner that stays. All other tests do what they did before."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from swesmith_gym.errors import SandboxDied
from swesmith_gym.harness.impact import Impact
from swesmith_gym.harness.runs import Attempt, Files, FullRuns, Reruns, Runs
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.worker import Step, Worker, WorkerLost, Workers, close_suite, open_suite, run_suite
from swesmith_gym.records import TestReport
from swesmith_gym.tasks import sealing
from swesmith_gym.tasks.sealing import SealedTree

BUG, GOLD, SEALED = "bug", "gold", "sealed"
COLLECT_S = 60.0
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
        self._most_broken = testbed.part_of_passing(most_broken)
        self._workers = Workers(testbed, impact.loaded)
        self._order = {test: at for at, test in enumerate(testbed.image.baseline)}

    def close(self) -> None:
        self._workers.close()

    def selected(self, files: Files) -> list[str]:
        """Passing tests that these files can reach, in the suite's order."""
        before = sealing.reader(self.testbed.pristine)
        changes = {path: (before(path), data) for path, data in files.items()}
        passing = self.testbed.passing
        reached = self.impact.reached(changes, self.testbed.language)
        found = passing if reached is None else (passing & reached) | (passing - self.impact.tests.keys())
        return sorted(found, key=self._order.__getitem__)

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
        needed = self._files_of(tests)
        opened = open_suite(
            BUG,
            files,
            left_out=self.testbed.test_files.difference(needed),
            limit_s=COLLECT_S,
            whole=needed if self._whole and len(tests) < len(self.testbed.passing) else (),
        )
        ran = self._run(BUG, tests, texts=True)
        first, second = worker.ask(opened, ran)
        language = self.testbed.language
        if first["state"] == "ended":
            raw = worker.read(opened["report"])
            report = language.parse_report(raw, exit_code=2, timed_out=False, duration_s=0.0, log="")
            return self._merged(replace(report, finished=True), tests) if report.broken_modules else None
        if first["state"] != "ready" or second["state"] not in ("done", "timeout"):
            return None
        late = second["state"] == "timeout"
        raw = worker.ran(ran, second).reports[0]
        report = language.parse_report(raw, exit_code=0, timed_out=late, duration_s=float(ran["limit_s"]), log="")
        return self._merged(report, tests) if report.timed_out or report.finished else None

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
            self.testbed.cpu_limits(tests),
            limit_s=limit_s,
            times=times,
            texts=texts,
            most_broken=self._most_broken,
        )

    def again(self, worker: Worker, files: Files, tests: Collection[str], times: int) -> Reruns:
        """`Attempt.again`, in the worker whose suite with the bug is open; it is closed then."""
        chosen = sorted(tests, key=self._order.__getitem__)
        bug, gold = self._run(BUG, chosen, times), self._run(GOLD, chosen, times)
        steps = [bug, close_suite(BUG), *self._gold(worker), gold, close_suite(None)]
        try:
            answers = worker.ask(*steps)
            reports = [self._reports(worker, step, answers[at]) for step, at in ((bug, 0), (gold, -2))]
            worker.suites.add(GOLD)
        except (WorkerLost, SandboxDied):
            worker.fit = False
            with self._full.on(files) as full:
                return full.again(tests, times)
        return Reruns(*reports)

    def _gold(self, worker: Worker) -> list[Step]:
        """Opens the suite of the pristine tree where it is not yet."""
        return [] if GOLD in worker.suites else [open_suite(GOLD, limit_s=COLLECT_S)]

    def _reports(self, worker: Worker, step: Step, answer: Step) -> tuple[TestReport, ...]:
        if answer["state"] not in ("done", "timeout"):
            raise WorkerLost(f"the runs ended as {answer['state']}")
        parse = self.testbed.language.parse_report
        return tuple(
            parse(raw, exit_code=0, timed_out=answer["state"] != "done", duration_s=0.0, log="")
            for raw in worker.ran(step, answer).reports
        )

    def collected(self, sealed: SealedTree, surface: Files) -> frozenset[str]:
        touched = self.impact.files_touched_by(surface)
        countable = self.testbed.countable
        module_of = self.testbed.language.module_of
        if not touched.issuperset(set(map(module_of, sealed.hidden_tests)) & self.impact.files.keys()):
            return self._full.collected(sealed, surface)
        opened = open_suite(
            SEALED, surface, left_out=self.testbed.test_files.difference(touched), limit_s=COLLECT_S, asserts=False
        )
        none = run_suite(SEALED, [], self.testbed.cpu_limits(()), limit_s=COLLECT_S)
        try:
            with self._workers.one() as worker:
                answers = worker.ask(opened, none, close_suite(SEALED))
                report = self._reports(worker, none, answers[1])[0]
                if answers[1]["state"] != "done" or not report.finished:
                    raise WorkerLost("the sealed suite was not collected")
        except (WorkerLost, SandboxDied):
            return self._full.collected(sealed, surface)
        return frozenset(report.collected) | {test for test in countable if module_of(test) not in touched}


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
