"""Impacted runs on a real package: what full runs give, whatever a candidate does to the worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import cast

import pytest
from samples import ABACUS

from swesmith_gym import records
from swesmith_gym.errors import CandidateRejected
from swesmith_gym.executors import LocalExecutor
from swesmith_gym.harness import exactness, gold, impacted
from swesmith_gym.harness.exactness import Outcome, outcome
from swesmith_gym.harness.impact import Impact
from swesmith_gym.harness.impacted import ImpactedRuns
from swesmith_gym.harness.runs import FullRuns
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.validate import judge
from swesmith_gym.harness.worker import Worker
from swesmith_gym.languages.base import TestTrace
from swesmith_gym.repos import impacts

pytestmark = [pytest.mark.sandbox, pytest.mark.network]
NUMBERS, WORDS = "src/abacus/numbers.py", "src/abacus/words.py"
FLOOD = """    import os
    for _ in range(4096):
        os.write(1, bytes(1 << 20))
    result = 0
    for"""
ENDLESS_FLOOD = """    import os
    while True:
        try:
            os.write(1, bytes(1 << 20))
        except OSError:
            pass
    for"""
"""Goes on beyond the limit of a file, so that it always meets that of time."""
"""4 GB of output."""


@pytest.fixture
def runs(abacus: Testbed, impact: Impact) -> Iterator[ImpactedRuns]:
    with closing(ImpactedRuns(abacus, impact)) as found:
        yield found


def edited(path: str, old: str, new: str) -> dict[str, bytes | None]:
    before = (ABACUS / path).read_text()
    assert before.count(old) == 1
    return {path: before.replace(old, new).encode()}


def test_every_passing_test_is_watched(abacus: Testbed, impact: Impact) -> None:
    assert impact.tests.keys() == abacus.passing
    assert impact.order_dependent == ()
    clamp = [test for test in impact.tests if "clamp" in test]
    assert all(any(code.endswith(":clamp") for code in impact.tests[test].code) for test in clamp)


def test_only_what_a_change_reaches_is_run(runs: ImpactedRuns) -> None:
    files = edited(NUMBERS, "return low", "return high")
    assert {test.split("[")[0] for test in runs.selected(files)} == {"tests/test_numbers.py::test_clamp"}
    assert len(runs.selected(edited(NUMBERS, '"""Arithmetic on lists of numbers."""', "import os"))) > 3


@pytest.mark.parametrize(
    ("path", "old", "new", "reason"),
    [
        (NUMBERS, "return low", "return high", ""),
        (NUMBERS, "result + value", "result - value", ""),
        (WORDS, "return WORDS[number]", "return WORDS[number - 1]", ""),
        (NUMBERS, 'raise ValueError("no values")', 'raise ValueError("none")', "no_failing_test"),
        (NUMBERS, "    result = 0\n    for", "    while True:\n        pass\n    for", "timeout"),
        (NUMBERS, "    result = 0\n    for", "    import os\n    os._exit(0)\n    for", "crash"),
        (NUMBERS, "    result = 0\n    for", "    import os\n    os.kill(os.getppid(), 9)\n    for", ""),
        (NUMBERS, "    result = 0\n    for", "    import os\n    os.kill(-1, 9)\n    for", ""),
        (
            NUMBERS,
            "    result = 0\n    for",
            "    import os\n    os.fork()\n    result = 0\n    for",
            "no_failing_test",
        ),
        (NUMBERS, "    result = 0\n    for", ENDLESS_FLOOD, "timeout"),
        (NUMBERS, '"""Arithmetic on lists of numbers."""', "raise RuntimeError('broken')", "all_tests_broken"),
        (WORDS, '"""Numbers as words."""', "raise RuntimeError('broken')", "collection_error"),
    ],
)
def test_the_judgement_is_that_of_full_runs(runs: ImpactedRuns, path: str, old: str, new: str, reason: str) -> None:
    files = edited(path, old, new)
    found = outcome(runs, files)
    assert found == outcome(FullRuns(runs.testbed), files)
    if reason:
        assert found.reason == reason
    assert outcome(runs, edited(NUMBERS, "return low", "return high")).reason == ""


def test_a_flood_of_output_ends_its_own_candidate_only(runs: ImpactedRuns) -> None:
    """At whichever limit it meets first, that of a file or that of time: on a busy machine either."""
    files = edited(NUMBERS, "    result = 0\n    for", FLOOD)
    for way in (runs, FullRuns(runs.testbed)):
        assert outcome(way, files).reason in ("crash", "timeout")
    assert outcome(runs, edited(NUMBERS, "return low", "return high")).reason == ""


def test_a_test_that_does_not_count_is_run_since_it_may_never_end(abacus: Testbed, impact: Impact) -> None:
    alone = {test for test in impact.tests if "clamp" in test}
    trusted = abacus.without(alone, "order")
    known = replace(impact, tests={test: trace for test, trace in impact.tests.items() if test not in alone})
    files = edited(NUMBERS, "return low", "while True:\n            pass")
    with closing(ImpactedRuns(trusted, known)) as runs:
        assert set(runs.selected(files)) == alone
        assert not runs.reaches(files)
        assert outcome(runs, files) == outcome(FullRuns(trusted), files)
        assert outcome(runs, files).reason == "timeout"


def test_full_runs_that_differ_among_themselves_say_nothing(abacus: Testbed, monkeypatch: pytest.MonkeyPatch) -> None:
    full = FullRuns(abacus)
    told = iter(
        [Outcome("timeout"), Outcome("crash"), Outcome("crash"), Outcome("timeout"), Outcome("crash"), Outcome()]
    )
    monkeypatch.setattr(exactness, "outcome", lambda runs, files: next(told))
    assert exactness.difference(full, full, {NUMBERS: b""}) == f"{NUMBERS}: impacted timeout; full crash"
    assert exactness.difference(full, full, {NUMBERS: b""}) == ""


def test_tests_are_run_again_with_the_bug_and_without(runs: ImpactedRuns) -> None:
    with runs.on(edited(NUMBERS, "return low", "return high")) as attempt:
        test = "tests/test_numbers.py::test_clamp[too low]"
        again = attempt.again([test], 3)
    assert [report.results[test].outcome.value for report in again.bug] == ["failed"] * 3
    assert [report.results[test].outcome.value for report in again.gold] == ["passed"] * 3


def test_where_suites_do_not_stay_each_is_collected_by_itself(runs: ImpactedRuns) -> None:
    with runs._workers.one() as worker:
        worker.suites_stay = False
    files = edited(NUMBERS, "return low", "return high")
    assert outcome(runs, files) == outcome(FullRuns(runs.testbed), files)
    with runs.on(files) as attempt:
        test = "tests/test_numbers.py::test_clamp[too low]"
        again = attempt.again([test], 2)
    assert [report.results[test].outcome.value for report in (*again.bug, *again.gold)] == ["failed"] * 2 + [
        "passed"
    ] * 2
    assert worker.fit
    assert not worker.suites


def test_a_candidate_that_waits_is_judged_by_the_full_run(runs: ImpactedRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impacted, "RUN_S", 0.2)
    files = edited(NUMBERS, "    result = 0\n    for", "    import time\n    time.sleep(0.5)\n    result = 0\n    for")
    assert outcome(runs, files).reason == "no_failing_test"


class Asked:
    """What `gold_suite` looks at of a worker."""

    def __init__(self) -> None:
        self.suites: dict[str, float] = {}
        self.suites_stay = True


def test_the_pristine_suite_is_collected_anew_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = cast("Worker", Asked())
    (opened,) = gold.gold_suite(worker)
    assert (opened["do"], opened["stays"]) == ("open", True)
    gold.note_gold_suite(worker, [{"state": "ready"}])
    assert gold.gold_suite(worker) == []
    monkeypatch.setattr(gold, "YOUNG_S", -1.0)
    assert [step["do"] for step in gold.gold_suite(worker)] == ["close", "open"]
    gold.note_gold_suite(worker, [{"state": "closed"}, {"state": "refused"}])
    assert (worker.suites, worker.suites_stay) == ({}, False)
    assert [(step["do"], step["stays"]) for step in gold.gold_suite(worker)] == [("open", False)]


def test_a_run_ends_when_more_has_failed_than_may(abacus: Testbed, impact: Impact) -> None:
    files = edited(NUMBERS, "    result = 0\n    for", "    result = 1\n    for")
    share = 1 / len(abacus.passing)
    with closing(ImpactedRuns(abacus, impact, most_broken=share)) as runs:
        with runs.on(files) as attempt:
            failed = [test for test, found in attempt.report.results.items() if found.outcome is records.Outcome.FAILED]
            assert attempt.report.finished
        assert len(failed) == 2 < len(outcome(FullRuns(abacus), files).fail_to_pass)
        with pytest.raises(CandidateRejected) as caught:
            judge(attempt.report, abacus, keep_collection_errors=False, most_broken=1)
    assert caught.value.reason == "breaks_too_much"


def test_a_sample_shows_that_they_are_exact(abacus: Testbed, impact: Impact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exactness, "MOST", 6)
    found = exactness.measure(abacus, impact, LocalExecutor(2)).exactness
    assert found is not None
    assert (found.agreed, found.differences) == (found.candidates, ())
    assert 6 <= found.candidates <= 12


def test_where_they_are_not_exact_everything_is_run(
    abacus: Testbed, impact: Impact, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exactness, "MOST", 12)
    blind = Impact(tests={test: TestTrace({}, frozenset(), False) for test in impact.tests}, loaded=impact.loaded)
    found = exactness.measure(abacus, blind, LocalExecutor(2))
    assert found.exactness is not None
    assert found.exactness.agreed < found.exactness.candidates
    chosen = impacts.runs(abacus, found, timeout_s=None, whole=True)
    assert isinstance(chosen, FullRuns)
    assert "run in full: impacted and full runs differed" in caplog.text
