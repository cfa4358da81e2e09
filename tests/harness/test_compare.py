"""FAIL_TO_PASS, PASS_TO_PASS and lost from a report: every way that a test can end."""

from __future__ import annotations

import pytest

from swesmith_gym.errors import CandidateRejected
from swesmith_gym.harness.compare import refuse_collection_errors, validation
from swesmith_gym.records import Outcome, TestReport, TestResult


def report(results: dict[str, str], **changes: object) -> TestReport:
    values: dict[str, object] = {
        "results": {
            test: TestResult(Outcome(outcome), message=f"{test} {outcome}") for test, outcome in results.items()
        },
        "collected": tuple(results),
        "broken_modules": {},
        "finished": True,
        "exit_code": 1,
        "timed_out": False,
        "duration_s": 1.0,
    }
    return TestReport(**{**values, **changes})  # type: ignore[arg-type]


def module(test: str) -> str:
    return test.split("::", maxsplit=1)[0]


def test_every_outcome_has_its_place() -> None:
    after = {
        "m::a": "passed",
        "m::b": "failed",
        "m::c": "error",
        "m::d": "skipped",
        "m::e": "xfailed",
        "m::f": "xpassed",
    }
    found = validation([*after, "m::gone"], report(after), module)
    assert found.fail_to_pass == ("m::b", "m::c")
    assert found.pass_to_pass == ("m::a",)
    assert found.lost == ("m::d", "m::e", "m::f", "m::gone")
    assert found.messages == {"m::b": "m::b failed", "m::c": "m::c error"}


def test_a_test_that_is_not_asked_for_does_not_count() -> None:
    found = validation(["m::a", "m::b"], report({"m::a": "passed", "m::b": "failed", "m::flaky": "failed"}), module)
    assert found.fail_to_pass == ("m::b",)


def test_tests_of_a_broken_module_have_errored_and_not_vanished() -> None:
    found = validation(["m::a", "n::b"], report({"m::a": "passed"}, broken_modules={"n": "SyntaxError"}), module)
    assert found.fail_to_pass == ("n::b",)
    assert found.messages["n::b"] == "SyntaxError"


@pytest.mark.parametrize(
    ("after", "changes", "reason"),
    [
        ({"m::a": "passed"}, {}, "no_failing_test"),
        ({"m::a": "skipped"}, {}, "no_failing_test"),
        ({"m::a": "failed"}, {}, "all_tests_broken"),
        ({}, {"broken_modules": {"": "conftest"}, "finished": False, "exit_code": 4}, "all_tests_broken"),
        ({"m::a": "failed"}, {"timed_out": True, "finished": False}, "timeout"),
        ({"m::a": "passed"}, {"finished": False, "exit_code": 139}, "crash"),
    ],
)
def test_rejections(after: dict[str, str], changes: dict[str, object], reason: str) -> None:
    with pytest.raises(CandidateRejected) as caught:
        validation(["m::a"], report(after, **changes), module)
    assert caught.value.reason == reason


def test_a_bug_that_breaks_more_than_was_allowed_is_refused() -> None:
    tests = {"m::a": "passed", "m::b": "failed", "m::c": "error"}
    assert len(validation([*tests], report(tests), module, most_broken=2).fail_to_pass) == 2
    with pytest.raises(CandidateRejected, match="more than 1 of 3 tests fail") as caught:
        validation([*tests], report(tests), module, most_broken=1)
    assert caught.value.reason == "breaks_too_much"


def test_a_bug_that_stops_the_collection_can_be_refused() -> None:
    after = report({"m::a": "passed"}, broken_modules={"n": "line\nSyntaxError: bad"})
    found = validation(["m::a", "n::b"], after, module)
    with pytest.raises(CandidateRejected, match="n is not collected: SyntaxError: bad"):
        refuse_collection_errors(found, after, module)


def test_a_module_that_was_broken_before_is_no_reason_to_refuse() -> None:
    after = report({"m::a": "passed", "m::b": "failed"}, broken_modules={"n": "SyntaxError: bad"})
    refuse_collection_errors(validation(["m::a", "m::b"], after, module), after, module)
