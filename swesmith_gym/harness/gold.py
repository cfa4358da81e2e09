"""The pristine tree in a worker: its suite, which stays open, and what its tests do when they are run again."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from swesmith_gym.harness.worker import COLLECT_S, Step, Worker, close_suite, open_suite
from swesmith_gym.records import TestReport, TestResult

GOLD = "gold"
YOUNG_S = 120.0
"""What was collected longer ago is collected anew: tests may look at the time that has passed since."""


def gold_suite(worker: Worker) -> list[Step]:
    """The steps that open it; none where it is open. It stays where the worker says that suites can."""
    since = worker.suites.get(GOLD)
    if since is not None and time.monotonic() - since < YOUNG_S:
        return []
    old = [] if since is None else [close_suite(GOLD)]
    return [*old, open_suite(GOLD, limit_s=COLLECT_S, stays=worker.suites_stay)]


def note_gold_suite(worker: Worker, answers: Sequence[Step]) -> None:
    """The answers to `gold_suite`."""
    if not answers:
        return
    state = answers[-1]["state"]
    worker.suites.pop(GOLD, None)
    if state == "ready":
        worker.suites[GOLD] = time.monotonic()
    elif state == "refused":
        worker.suites_stay = False


class GoldRuns:
    """Runs of one testbed's tests: the same for every candidate, so that each is run once. Two threads may both find a
    test missing: what they learn is the same."""

    def __init__(self) -> None:
        self._results: dict[str, tuple[TestResult, ...]] = {}

    def missing(self, tests: Collection[str], times: int) -> list[str]:
        """Tests that have not been run so many times, in the given order."""
        return [test for test in tests if len(self._results.get(test, ())) < times]

    def learn(self, tests: Collection[str], reports: Sequence[TestReport]) -> None:
        """Runs of these tests, all of them in each."""
        for test in tests:
            self._results[test] = tuple(report.results[test] for report in reports if test in report.results)

    def reports(self, tests: Collection[str], times: int) -> tuple[TestReport, ...]:
        """So many runs of these tests; one that a run did not come to is not in it."""
        return tuple(self._report(tests, number) for number in range(times))

    def _report(self, tests: Collection[str], number: int) -> TestReport:
        runs = {test: self._results.get(test, ()) for test in tests}
        results = {test: found[number] for test, found in runs.items() if number < len(found)}
        return TestReport(results, (), {}, True, 0, False, 0.0)
