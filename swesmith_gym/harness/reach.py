"""`grading="impacted"`: test files that a submission cannot reach are left out, their tests do what they did before."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from swesmith_gym.harness.impact import Impact
from swesmith_gym.harness.tampering import Watch
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import FileChange, TestReport
from swesmith_gym.tasks import sealing


def unreached(
    testbed: Testbed, impact: Impact, changes: Iterable[FileChange], tests: Collection[str], watches: Iterable[Watch]
) -> frozenset[str]:
    """Files with none of `tests`, nothing planted, and no test that the difference from the pristine tree can reach."""
    before = sealing.reader(testbed.pristine)
    reached = impact.reached({c.path: (before(c.path), c.data) for c in changes}, testbed.language)
    if impact.refused or reached is None:
        return frozenset()
    needed = set(map(testbed.language.module_of, {*tests, *reached, *impact.unknown(testbed.image.baseline)}))
    needed |= {change.path for watch in watches for change in watch.changes}
    return testbed.test_files - needed


def completed(report: TestReport, left_out: Collection[str], testbed: Testbed) -> TestReport:
    """With what the tests of these files did on the pristine tree, where the run has not said otherwise."""
    if not left_out or "" in report.broken_modules:
        return report
    module_of = testbed.language.module_of
    before = {test: result for test, result in testbed.image.baseline.items() if module_of(test) in left_out}
    return replace(report, results={**before, **report.results})
