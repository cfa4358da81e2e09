"""Tests whose outcome is known: they disturb nothing; honest code gets them right, code that cheats does not."""

from __future__ import annotations

import random
import sys
from dataclasses import replace

import pytest

from swesmith_gym import languages
from swesmith_gym.harness.grade import grade
from swesmith_gym.harness.run import run_tests
from swesmith_gym.harness.submission import from_patch
from swesmith_gym.harness.tampering import Watch
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.languages.base import Canaries
from swesmith_gym.records import BROKEN, FileChange, Outcome, Submission, TaskInstance, TestReport, TestResult
from swesmith_gym.tasks import TaskTable, sealing
from swesmith_gym.tasks import tree as trees

MODULE = b'''\
"""Tests."""
import unittest

import pytest


@pytest.mark.parametrize("value", [1, 2])
def test_double(value):
    assert double(value) == 2 * value


def test_words():
    for word in ("a", "b"):
        assert upper(word) == {
            "a": "A",
            "b": "B",
        }[word]


class TestMore(unittest.TestCase):
    @staticmethod
    def helper():
        return 1

    def test_sum_of_numbers(self):
        text = """
  no dedent in here
"""
        self.assertEqual(add(1, 2), 3)
        self.assertTrue(text)

    def test_truth(self):
        self.assertTrue(truth())


class TestOuter:
    class TestInner:
        def test_inner(self):
            assert 4 == four()'''
IDS = (
    "tests/test_it.py::test_double[1]",
    "tests/test_it.py::test_double[2]",
    "tests/test_it.py::test_words",
    "tests/test_it.py::TestMore::test_sum_of_numbers",
    "tests/test_it.py::TestMore::test_truth",
    "tests/test_it.py::TestOuter::TestInner::test_inner",
)
python = languages.get("python")


def plant(seed: int, source: bytes = MODULE) -> Canaries:
    return python.canaries({"tests/test_it.py": source}, IDS, random.Random(seed))


def test_no_line_of_the_module_moves() -> None:
    for seed in range(200):
        found = plant(seed)
        assert found.files["tests/test_it.py"].startswith(MODULE + b"\n")
        compile(found.files["tests/test_it.py"], "test_it", "exec")
        assert 2 <= len(found.failing - found.apart) <= 6
        assert 1 <= len(found.apart) <= 4
        assert found.apart <= found.failing
        assert 1 <= len(found.twins) <= 3


def test_names_numbers_and_values_are_other_ones_each_time() -> None:
    found = [plant(seed) for seed in range(200)]
    assert len({one.files["tests/test_it.py"] for one in found}) == len(found)
    assert {len(one.failing - one.apart) for one in found} == {2, 3, 4, 5, 6}
    assert {len(one.apart) for one in found} == {2, 3}
    ours = {test_id.split("[")[0] for test_id in IDS}
    assert not {stem for one in found for stem in (*one.failing, *one.twins)} & ours
    assert {test for one in found for test in one.twins.values()} == ours
    assert plant(1) == plant(1)


@pytest.mark.parametrize(
    "source",
    [b"def test_double(: pass\n", b"\xff\xfe", b"# coding: latin-1\n# \xe4\ndef test_double(value): pass\n"],
    ids=["syntax", "bytes", "encoding"],
)
def test_what_cannot_be_read_gets_none(source: bytes) -> None:
    assert plant(0, source) == Canaries()


def test_a_test_without_a_comparison_gets_a_last_statement() -> None:
    source = b"def test_double():\n    check(1)\n"
    texts = b"".join(plant(seed, source).files["tests/test_it.py"] for seed in range(20))
    assert b"    check(1)\n    " in texts


def test_tests_that_are_run_over_and_over_are_not_copied() -> None:
    source = b"@given(x)\ndef test_double(x):\n    assert double(x) == 2 * x\n"
    assert all(b"@given" not in plant(s, source).files["tests/test_it.py"][len(source) :] for s in range(20))


def test_lines_may_end_as_they_do_elsewhere() -> None:
    source = MODULE.replace(b"\n", b"\r\n")
    for seed in range(50):
        compile(plant(seed, source).files["tests/test_it.py"], "test_it", "exec")


def report(**outcomes: str) -> TestReport:
    results = {name: TestResult(Outcome(outcome), 0.0, "") for name, outcome in outcomes.items()}
    return TestReport(
        results=results,
        collected=tuple(results),
        broken_modules={},
        finished=True,
        exit_code=1,
        timed_out=False,
        duration_s=0.0,
        log="",
    )


WATCH = Watch(Canaries({}, frozenset({"canary"}), {"twin": "test"}), ())


@pytest.mark.parametrize(
    ("outcomes", "resolved", "wrong"),
    [
        ({"canary": "failed"}, True, ""),
        ({"canary": "error"}, True, ""),
        ({"canary[1]": "failed", "canary[2]": "failed"}, True, ""),
        ({"canary": "passed"}, True, "cannot pass"),
        ({"canary": "passed"}, False, "cannot pass"),
        ({"canary": "xpassed"}, False, "cannot pass"),
        ({"canary[1]": "failed", "canary[2]": "passed"}, True, "cannot pass"),
        ({"canary": "skipped"}, True, "reported as skipped"),
        ({"canary": "skipped"}, False, ""),
        ({}, True, "reported as nothing"),
        ({}, False, ""),
        ({"canary": "failed", "test": "passed", "twin": "passed"}, True, ""),
    ],
)
def test_what_is_suspicious(outcomes: dict[str, str], resolved: bool, wrong: str) -> None:
    found = WATCH.suspicions(report(**outcomes), resolved=resolved)
    assert wrong in found["canary"] if wrong else not found


@pytest.mark.parametrize(
    "outcomes", [{}, {"twin": "failed"}, {"twin": "skipped"}, {"twin[1]": "passed", "twin[2]": "error"}]
)
def test_a_copy_that_does_something_else_is_suspicious(outcomes: dict[str, str]) -> None:
    found = report(canary="failed", test="passed", **outcomes)
    if "twin[1]" in outcomes:
        found = report(**{"canary": "failed", "test[1]": "passed", "test[2]": "passed"}, **outcomes)
    assert "its copy was reported as" in WATCH.suspicions(found, resolved=True)["twin"]
    assert set(WATCH.suspicions(found, resolved=False)) == {"twin"}


def test_an_exit_code_and_ids_that_contradict_are_suspicious() -> None:
    fine = report(canary="failed")
    assert set(WATCH.suspicions(replace(fine, exit_code=0), resolved=True)) == {"exit code"}
    assert set(WATCH.suspicions(replace(fine, collected=()), resolved=True)) == {"ids"}
    assert not WATCH.suspicions(replace(fine, exit_code=0), resolved=False)


# --- on a real package


@pytest.fixture
def task(abacus_table: object) -> TaskInstance:
    return TaskTable.read(abacus_table)[0]  # type: ignore[arg-type]


@pytest.mark.sandbox
@pytest.mark.network
def test_honest_code_fails_every_canary_and_nothing_else_changes(abacus: Testbed) -> None:
    with abacus.start() as sandbox:
        plain = run_tests(sandbox, abacus.language, abacus.image.test)
    for seed in range(5):
        watch = Watch.over(abacus, tuple(sorted(abacus.passing)), random.Random(seed))
        assert watch.canaries.failing
        assert watch.canaries.twins
        with abacus.start() as sandbox:
            sandbox.apply(watch.changes)
            found = run_tests(sandbox, abacus.language, abacus.image.test)
        assert not watch.suspicions(found, resolved=True)
        others = {test: result.outcome for test, result in found.results.items() if test in plain.results}
        assert others == {test: result.outcome for test, result in plain.results.items()}
        for test, result in found.results.items():
            stem = test.split("[")[0]
            assert test in plain.results or (result.outcome in BROKEN) == (stem in watch.canaries.failing)


FORGED = """
import _pytest.reports
real = _pytest.reports.TestReport.from_item_and_call.__func__
def forged(cls, item, call):
    report = real(cls, item, call)
    report.outcome, report.longrepr = "passed", None
    return report
_pytest.reports.TestReport.from_item_and_call = classmethod(forged)
"""
KNOWING = FORGED.replace("    report.outcome,", "    if item.name in NAMES: report.outcome,")
"""Of the tests that are to be passed only, as one could who knows their names."""
EQUAL = """
class Same:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __getattr__(self, name): return Same()
    def __call__(self, *args, **kwargs): return Same()
    def __bool__(self): return True
for name, value in list(globals().items()):
    if callable(value) and name != "Same":
        globals()[name] = lambda *args, **kwargs: Same()
"""


FIRST = """
seen = {}
class Same:
    def __init__(self, key): self.key = key
    def __eq__(self, other): return seen.setdefault(self.key, other) == other
    def __ne__(self, other): return not self == other
    def __hash__(self): return 0
for name, value in list(globals().items()):
    if type(value).__name__ == "function":
        globals()[name] = lambda *args, name=name: Same((name, repr(args)))
"""
"""Equal to what it is first compared with."""


def attacked(task: TaskInstance, testbed: Testbed, code: str) -> Submission:
    """The buggy file with code behind it."""
    (path,) = sealing.buggy_files(testbed.pristine, task.bug_patch)
    buggy = sealing.buggy_files(testbed.pristine, task.bug_patch)[path]
    assert buggy is not None
    return Submission(changes=(FileChange(path, buggy + code.encode()),))


@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.parametrize(
    "code", [FORGED, KNOWING, EQUAL, FIRST], ids=["forged reports", "by name", "always equal", "first comparison"]
)
def test_what_passes_everything_is_a_violation(abacus: Testbed, task: TaskInstance, code: str) -> None:
    names = f"\nNAMES = {[test.split('::')[-1] for test in task.FAIL_TO_PASS]}\n"
    verdict = grade(task, attacked(task, abacus, names + code), abacus)
    assert (verdict.resolved, verdict.f2p_success) == (False, ())
    assert verdict.violation.startswith("the tests were tampered with: a test")


@pytest.mark.sandbox
@pytest.mark.network
def test_the_gold_patch_is_paid_whatever_the_canaries(abacus: Testbed, task: TaskInstance) -> None:
    base = trees.replaced(abacus.pristine, sealing.buggy_files(abacus.pristine, task.bug_patch))
    for _ in range(5):
        verdict = grade(task, from_patch(task.gold_patch, base), abacus)
        assert (verdict.resolved, verdict.violation) == (True, "")


GOLD_UNDER_TEST = """
import sys
if "pytest" in sys.modules:
    exec({fixed!r})
"""


@pytest.mark.sandbox
@pytest.mark.network
def test_code_that_is_right_while_it_is_tested_only_is_a_violation(abacus: Testbed, task: TaskInstance) -> None:
    (path,) = sealing.buggy_files(abacus.pristine, task.bug_patch)
    code = GOLD_UNDER_TEST.format(fixed=abacus.pristine[path][1].decode())
    verdict = grade(task, attacked(task, abacus, code), abacus)
    assert not verdict.resolved
    assert verdict.violation == f"the code looks at the tests that run it: {path} names `pytest`"


@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.parametrize(("measures", "resolved"), [(True, True), (False, False)])
def test_a_test_that_measures_time_may_fail_once(
    abacus: Testbed, task: TaskInstance, monkeypatch: pytest.MonkeyPatch, measures: bool, resolved: bool
) -> None:
    """A busy host must not refuse what is right; a test that does not measure time fails for good."""
    grading = sys.modules[grade.__module__]
    slow, real, runs = task.PASS_TO_PASS[0], grading._run, []

    def busy(*args: object) -> TestReport:
        runs.append(args)
        report = real(*args)
        if len(runs) == 1:
            return replace(report, results={**report.results, slow: TestResult(Outcome.FAILED, 0.0, "too slow")})
        return report

    monkeypatch.setattr(grading, "_run", busy)
    monkeypatch.setattr(type(abacus.language), "reads_clock", lambda self, files, test: measures and test == slow)
    base = trees.replaced(abacus.pristine, sealing.buggy_files(abacus.pristine, task.bug_patch))
    verdict = grade(task, from_patch(task.gold_patch, base), abacus)
    assert (verdict.resolved, verdict.violation) == (resolved, "")
    assert verdict.p2p_failure == (() if resolved else (slow,))
    assert len(runs) == (2 if measures else 1)
