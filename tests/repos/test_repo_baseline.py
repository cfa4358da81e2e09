"""The baseline's arithmetic: what several runs of one suite show together, and when a repository is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from swesmith_gym.errors import ProfileError
from swesmith_gym.languages.python.language import Python
from swesmith_gym.records import Outcome, TestReport, TestResult
from swesmith_gym.repos import baseline
from swesmith_gym.repos.baseline import Baseline, check

P, F, S, E = Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED, Outcome.ERROR


def report(outcomes: dict[str, Outcome], duration_s: float = 1.0, broken: dict[str, str] | None = None) -> TestReport:
    results = {
        name: TestResult(outcome, duration_s, "why" if outcome is F else "") for name, outcome in outcomes.items()
    }
    return TestReport(results, tuple(results), broken or {}, True, 0, False, duration_s * 10)


def combine(reports: list[TestReport], *reasons: str) -> Baseline:
    return baseline.combine(reports, reasons or ("flaky",) * len(reports), lambda message: "unreachable" in message)


def module_of(test: str) -> str:
    return test.partition("::")[0]


def test_ids_that_are_not_in_every_run_never_count() -> None:
    found = combine([report({"a": P, "b[10:01]": P}), report({"a": P, "b[10:02]": P}), report({"a": P, "b[10:03]": P})])
    assert found.quarantined == {"b[10:01]": "unstable_id"}
    assert list(found.results) == ["a", "b[10:01]"]


def test_at_any_hour_another_zone_has_another_day() -> None:
    """So that a test which is named after the day is not in every run."""
    ahead = [-int(env["TZ"].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) for env in Python.other_env]
    for hour in range(24):
        assert any(not 0 <= hour + each < 24 for each in ahead)


def test_outcomes_that_differ_are_flaky_and_durations_are_medians() -> None:
    found = combine([report({"a": P, "b": F}, 1.0), report({"a": P, "b": P}, 5.0), report({"a": P, "b": P}, 2.0)])
    assert found.quarantined == {"b": "flaky"}
    assert found.results["a"] == TestResult(P, 2.0)
    assert found.suite_s == 20.0
    assert found.pass_rates == {"b": 0.6667}


def test_the_run_that_differs_tells_why() -> None:
    alike = report({"a": P, "b": P, "c": P, "d": F})
    runs = [alike, report({"a": P, "b": F, "c": P, "d": F}), report({"a": P, "b": F, "c": F, "d": F})]
    assert combine(runs, "flaky", "order", "environment").quarantined == {"b": "order", "c": "environment"}


def test_a_test_that_wants_the_network_says_so() -> None:
    one = report({"a": P, "b": P, "c": P, "d": P, "e": F})
    lost = TestResult(F, 1.0, "socket.gaierror: unreachable")
    assert combine([replace(one, results={**one.results, "e": lost})] * 3).quarantined == {"e": "network"}
    assert combine([one] * 3).quarantined == {}


@pytest.mark.parametrize(
    "outcomes",
    [
        {"a": P, "b": P, "c": P, "d": P, "e": F},
        {"a": P, **{f"s{n}": S for n in range(50)}},
    ],
)
def test_four_of_five_are_enough(outcomes: dict[str, Outcome]) -> None:
    check(combine([report(outcomes)] * 3), module_of)


def test_one_file_of_many_may_fail_however_many_cases_it_has() -> None:
    sound = {f"{name}.py::test": P for name in "abcdefgh"} | {f"a.py::test_{n}": P for n in range(8)}
    lacking = {f"docs.py::test[{n}]": F for n in range(12)}
    check(combine([report(sound | lacking)] * 3), module_of)
    with pytest.raises(ProfileError, match="17 of 33 tests fail"):  # fewer than half pass
        check(combine([report(sound | lacking | {f"docs.py::more[{n}]": F for n in range(5)})] * 3), module_of)
    with pytest.raises(ProfileError, match="15 of 31 tests fail"):  # eight of twelve files
        check(combine([report(sound | lacking | {f"{name}.py::test": F for name in "xyz"})] * 3), module_of)


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ({"a": P, "b": P, "c": P, "d": F}, "1 of 4 tests fail.*the first: d"),
        (
            {"a": P, "b": E, "c": F, "d": F, "e": F, "f": F},
            r"5 of 6 tests fail, .*the first: b, c \(why\), d \(why\)\)",
        ),
        ({"a": S}, "0 of 0 tests fail.*none ran"),
    ],
)
def test_fewer_are_not(outcomes: dict[str, Outcome], said: str) -> None:
    with pytest.raises(ProfileError, match=said) as caught:
        check(combine([report(outcomes)] * 3), module_of)
    assert caught.value.step == "baseline"
    assert "repos review" not in str(caught.value)
    assert ("why" in caught.value.log) == (F in outcomes.values())


def test_a_file_that_cannot_be_collected_counts_as_failing() -> None:
    with pytest.raises(ProfileError, match=r"2 of 3 tests fail.*tests/x\.py") as caught:
        check(combine([report({"a": P}, broken={"tests/x.py": "ImportError: nope", "tests/y.py": ""})] * 3), module_of)
    assert "ImportError: nope" in caught.value.log


def test_flaky_tests_do_not_count_as_passing() -> None:
    runs = [report({"a": P, "b": P, "c": P, "d": outcome}) for outcome in (P, F, P)]
    with pytest.raises(ProfileError, match="1 of 4 tests fail"):
        check(combine(runs), module_of)
