"""The deciding part of grading is pure: a required test counts only where the report says that it passed."""

from __future__ import annotations

import pytest
from samples import TASK

from swesmith_gym.harness.grade import Required, decide
from swesmith_gym.records import Outcome, TestReport, TestResult

NEEDED = Required(("f",), ("p",))


def report(f2p: str | None, p2p: str | None, *, finished: bool = True, exit_code: int | None = 0) -> TestReport:
    found = {"f": f2p, "p": p2p}
    results = {test: TestResult(Outcome(outcome)) for test, outcome in found.items() if outcome}
    return TestReport(results, tuple(results), {}, finished, exit_code, False, 0.1)


def test_resolved() -> None:
    verdict = decide(TASK, NEEDED, report("passed", "passed"))
    assert verdict.resolved
    assert (verdict.f2p_success, verdict.p2p_success) == (("f",), ("p",))


def test_a_failure_elsewhere_in_the_suite_does_not_matter() -> None:
    assert decide(TASK, NEEDED, report("passed", "passed", exit_code=1)).resolved


@pytest.mark.parametrize("outcome", [None, "failed", "error", "skipped", "xfailed", "xpassed"])
@pytest.mark.parametrize("kind", ["f2p", "p2p"])
def test_anything_but_passed_is_not_passed(kind: str, outcome: str | None) -> None:
    verdict = decide(TASK, NEEDED, report(**{"f2p": "passed", "p2p": "passed", kind: outcome}))
    assert not verdict.resolved
    assert getattr(verdict, f"{kind}_failure")


@pytest.mark.parametrize("changes", [{"finished": False}, {"exit_code": 3}, {"exit_code": None}])
def test_a_run_that_did_not_end_well_resolves_nothing(changes: dict[str, object]) -> None:
    assert not decide(TASK, NEEDED, report("passed", "passed", **changes)).resolved  # type: ignore[arg-type]
