"""Tests whose outcome is known: they disturb nothing; honest code gets them right, code that cheats does not."""

from __future__ import annotations

import ast
import random
from dataclasses import replace
from typing import Any

import pytest

from swesmith_gym import languages
from swesmith_gym.harness import attempts
from swesmith_gym.harness.grade import grade
from swesmith_gym.harness.run import run_tests
from swesmith_gym.harness.submission import from_patch
from swesmith_gym.harness.tampering import Watch, watches
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
    return python.canaries({"tests/test_it.py": source}, IDS, IDS, random.Random(seed))


def test_no_line_of_the_module_moves() -> None:
    for seed in range(200):
        found = plant(seed)
        assert found.files["tests/test_it.py"].startswith(MODULE + b"\n")
        compile(found.files["tests/test_it.py"], "test_it", "exec")
        assert 2 <= len(found.failing) <= 6
        assert 1 <= len(found.twins) <= 3


def test_names_numbers_and_values_are_other_ones_each_time() -> None:
    found = [plant(seed) for seed in range(200)]
    assert len({one.files["tests/test_it.py"] for one in found}) == len(found)
    assert {len(one.failing) for one in found} == {2, 3, 4, 5, 6}
    ours = {test_id.split("[")[0] for test_id in IDS}
    assert not {stem for one in found for stem in (*one.failing, *one.twins)} & ours
    assert {test for one in found for test in one.failing.values()} == {"", *ours}
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
    source = b"def test_double():\n    run(1)\n"
    texts = b"".join(plant(seed, source).files["tests/test_it.py"] for seed in range(20))
    assert b"    run(1)\n    " in texts


def test_tests_with_many_cases_are_spared() -> None:
    """A copy of each of a thousand cases would make a suite three times as long."""
    known = [*IDS, *(f"tests/test_it.py::test_double[{number}]" for number in range(3, 1000))]
    for seed in range(50):
        found = python.canaries({"tests/test_it.py": MODULE}, IDS, known, random.Random(seed))
        assert "tests/test_it.py::test_double" not in {*found.twins.values(), *found.failing.values(), *found.decoys}
        alone = python.canaries({"tests/test_it.py": MODULE}, IDS[:2], known, random.Random(seed))
        assert (dict(alone.twins), set(alone.failing.values())) == ({}, {""})
        assert alone.decoys == {"tests/test_it.py::test_double"}


def test_texts_do_not_tell_the_decoy_run() -> None:
    """Each run has a test, a copy of it, and another copy: they change places."""

    def bodies(text: bytes) -> list[str]:
        tests = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
        return [ast.unparse(test).partition("\n")[2] for test in tests if test.name.startswith("test")]

    source = b'def test_double():\n    assert double("4") == "44"\n'
    for seed in range(20):
        found = plant(seed, source)
        for files in (found.files, found.decoy_files):
            own, *copies = bodies(files["tests/test_it.py"])
            assert sorted(each == own for each in copies if "double" in each) == [False, True]
        assert bodies(found.files["tests/test_it.py"])[1:] == bodies(found.decoy_files["tests/test_it.py"])[1:]


def test_tests_that_are_run_over_and_over_are_not_copied() -> None:
    source = b"@given(x)\ndef test_double(x):\n    assert double(x) == 2 * x\n"
    assert all(b"@given" not in plant(s, source).files["tests/test_it.py"][len(source) :] for s in range(20))


def test_lines_may_end_as_they_do_elsewhere() -> None:
    source = MODULE.replace(b"\n", b"\r\n")
    for seed in range(50):
        compile(plant(seed, source).files["tests/test_it.py"], "test_it", "exec")


TESTS = b'''\
import pytest, unittest

def test_equal():
    assert f("some text") == "Some Text"

def test_lines():
    assert g() == """one
two"""

def test_raises():
    with pytest.raises(KeyError, match="k"):
        h()

def test_truth():
    assert 3 < k()

def test_helper():
    check(m(1), 2)

def test_nothing():
    n()

class TestIt(unittest.TestCase):
    def test_method(self):
        self.assertFalse(o())
'''
NAMED = [f"t.py::{name}" for name in ["equal", "lines", "raises", "truth", "helper", "nothing"]]


def test_decoys_stand_in_the_place_of_tests() -> None:
    ids = [test.replace("::", "::test_") for test in NAMED] + ["t.py::TestIt::test_method"]
    for seed in range(50):
        found = python.canaries({"t.py": TESTS}, ids, ids, random.Random(seed))
        text = found.decoy_files["t.py"]
        assert found.decoys == frozenset(ids) - {"t.py::test_nothing"}
        assert text[len(text) - len(found.files["t.py"]) + len(TESTS) :] == found.files["t.py"][len(TESTS) :]
        before, after = TESTS.splitlines(), text.splitlines()
        differ = [number for number, (one, other) in enumerate(zip(before, after, strict=False)) if one != other]
        heads = [before[number].split()[0].decode() for number in differ]
        assert heads == ["assert", "assert", 'two"""', "with", "assert", "check(m(1),", "self.assertFalse(o())"]
        compile(text, "t", "exec")


@pytest.mark.parametrize(
    ("test", "code"),
    [
        ("equal", "def f(text): return 'Some Text'"),
        ("lines", "def g(): return 'one\\ntwo'"),
        ("raises", "def h(): raise KeyError('k')"),
        ("truth", "def k(): return 4"),
        ("helper", "def m(n): return 2\ndef check(a, b): assert a == b"),
    ],
)
def test_no_honest_code_passes_a_decoy(test: str, code: str) -> None:
    for seed in range(50):
        found = python.canaries({"t.py": TESTS}, [f"t.py::test_{test}"], [], random.Random(seed))
        for files, passes in (found.files, True), (found.decoy_files, False):
            names: dict[str, Any] = {}
            exec(compile(files["t.py"], "t", "exec"), names)
            exec(code, names)
            outcome = []
            try:
                outcome.append(names[f"test_{test}"]() is None)
            except BaseException:  # noqa: BLE001  (pytest's own outcomes are no errors)
                outcome.append(False)
            assert outcome == [passes]


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


WATCH = Watch({"canary": "", "false": "other"}, {"twin": "test"}, ())
PAID = report(test="passed", other="passed")
FINE = {"canary": "failed", "false": "failed", "twin": "passed"}


@pytest.mark.parametrize("name", ["canary", "false"])
@pytest.mark.parametrize(
    ("outcomes", "resolved", "wrong"),
    [
        ({"": "failed"}, True, ""),
        ({"": "error"}, True, ""),
        ({"[1]": "failed", "[2]": "failed"}, True, ""),
        ({"": "passed"}, True, "cannot pass"),
        ({"": "passed"}, False, "cannot pass"),
        ({"": "xpassed"}, False, "cannot pass"),
        ({"[1]": "failed", "[2]": "passed"}, True, "cannot pass"),
        ({"": "skipped"}, True, "reported as skipped"),
        ({"": "skipped"}, False, ""),
        ({}, True, "reported as nothing"),
        ({}, False, ""),
    ],
)
def test_what_is_suspicious(name: str, outcomes: dict[str, str], resolved: bool, wrong: str) -> None:
    others = {each: outcome for each, outcome in FINE.items() if each != name}
    found = report(**others, **{name + case: outcome for case, outcome in outcomes.items()})
    shown = WATCH.suspicions(found, PAID, resolved=resolved)
    assert wrong in shown[name] if wrong else not shown


def test_a_false_copy_may_pass_where_its_original_does_not() -> None:
    """A wrong answer may be the wrong one that is wanted: that was a violation once."""
    found = report(**{**FINE, "false": "passed"})
    assert not WATCH.suspicions(found, report(test="passed", other="failed"), resolved=False)
    assert WATCH.suspicions(found, PAID, resolved=False)


def test_one_case_of_a_test_may_be_meant_alone() -> None:
    watch = Watch({"test[1]": "test[1]"}, {}, ())
    deciding = report(**{"test[1]": "passed", "test[2]": "skipped"})
    assert not watch.suspicions(report(**{"test[1]": "failed", "test[2]": "skipped"}), deciding, resolved=True)
    assert watch.suspicions(report(**{"test[1]": "passed", "test[2]": "failed"}), deciding, resolved=True)


@pytest.mark.parametrize(
    "outcomes", [{}, {"twin": "failed"}, {"twin": "skipped"}, {"twin[1]": "passed", "twin[2]": "error"}]
)
def test_a_copy_that_does_something_else_is_suspicious(outcomes: dict[str, str]) -> None:
    found = report(canary="failed", false="failed", **outcomes)
    for deciding in (PAID, report(**{"test[1]": "passed", "test[2]": "passed", "other": "passed"})):
        shown = WATCH.suspicions(found, deciding, resolved=True)
        assert "its copy was reported as" in shown["twin"]
        assert set(shown) == {"twin"}
    assert not WATCH.suspicions(found, report(test="failed", other="passed"), resolved=False)


def test_an_exit_code_and_ids_that_contradict_are_suspicious() -> None:
    fine = report(**FINE)
    assert set(WATCH.suspicions(replace(fine, exit_code=0), PAID, resolved=True)) == {"exit code"}
    assert set(WATCH.suspicions(replace(fine, collected=()), PAID, resolved=True)) == {"ids"}
    assert not WATCH.suspicions(replace(fine, exit_code=0), PAID, resolved=False)


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
        for watch in watches(abacus, tuple(sorted(abacus.passing)), random.Random(seed)):
            assert watch is not None
            assert watch.failing
            assert watch.twins
            with abacus.start() as sandbox:
                sandbox.apply(watch.changes)
                found = run_tests(sandbox, abacus.language, abacus.image.test)
            assert not watch.suspicions(found, plain, resolved=True)
            for test, result in found.results.items():
                if watch.failing.keys() & {test, test.split("[")[0]}:
                    assert result.outcome in BROKEN
                elif test in plain.results:
                    assert result.outcome == plain.results[test].outcome
                else:
                    assert result.outcome not in BROKEN


def test_most_tests_have_a_decoy(abacus: Testbed) -> None:
    tests = tuple(sorted(abacus.passing))
    decoys = watches(abacus, tests)[1]
    assert decoys is not None
    assert len(decoys.failing.keys() & set(tests)) > 0.9 * len(tests)


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


BY_CHANCE = f"import os\nif os.urandom(1)[0] < 128:\n    exec({FIRST!r})\n"
ASKED = """
import ast, os
def wanted(name, args):
    for node in ast.walk(ast.parse(open(TESTS).read())):
        test = getattr(node, "test", None)
        if isinstance(node, ast.Assert) and isinstance(test, ast.Compare) and isinstance(test.left, ast.Call):
            given = [args[0] if isinstance(each, ast.Name) else ast.literal_eval(each) for each in test.left.args]
            if ast.unparse(test.left.func) == name and args[0] and given == args:
                return ast.literal_eval(test.comparators[0])
for name, value in list(globals().items()):
    if type(value).__name__ == "function" and name != "wanted":
        def asked(*args, name=name, value=value):
            try:
                found = wanted(name, list(args))
            except Exception:
                found = None
            return value(*args) if found is None else found
        globals()[name] = asked
"""
"""What the test that is run wants, out of its file."""


@pytest.mark.sandbox
@pytest.mark.network
def test_what_passes_everything_in_every_other_run_is_never_paid(abacus: Testbed, task: TaskInstance) -> None:
    verdicts = [grade(task, attacked(task, abacus, BY_CHANCE), abacus) for _ in range(6)]
    assert not any(verdict.resolved for verdict in verdicts)


@pytest.mark.sandbox
@pytest.mark.network
def test_what_gives_each_test_what_it_wants_is_a_violation(abacus: Testbed, task: TaskInstance) -> None:
    (module,) = {abacus.language.module_of(test) for test in task.FAIL_TO_PASS}
    code = f"\nTESTS = {('/testbed/' + module)!r}\n" + ASKED
    verdict = grade(task, attacked(task, abacus, code), abacus)
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
    slow, real, runs = task.PASS_TO_PASS[0], attempts.run, []

    def busy(testbed: Testbed, changes: tuple[FileChange, ...], watch: Watch) -> TestReport:
        report = real(testbed, changes, watch)
        if watch.failing.keys() & set(task.FAIL_TO_PASS):
            return report
        runs.append(watch)
        if len(runs) == 1:
            return replace(report, results={**report.results, slow: TestResult(Outcome.FAILED, 0.0, "too slow")})
        return report

    monkeypatch.setattr(attempts, "run", busy)
    monkeypatch.setattr(type(abacus.language), "reads_clock", lambda self, files, test: measures and test == slow)
    base = trees.replaced(abacus.pristine, sealing.buggy_files(abacus.pristine, task.bug_patch))
    verdict = grade(task, from_patch(task.gold_patch, base), abacus)
    assert (verdict.resolved, verdict.violation) == (resolved, "")
    assert verdict.p2p_failure == (() if resolved else (slow,))
    assert len(runs) == (2 if measures else 1)


@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.parametrize("endless", ["decoys", "the first canaries"])
def test_canaries_that_make_a_suite_endless_tell_nothing(
    abacus: Testbed, task: TaskInstance, monkeypatch: pytest.MonkeyPatch, endless: str
) -> None:
    """One that asks for more than it can be given, with the pristine code, too, is no fault of the host's."""
    real, seen = attempts.run, []

    def run(testbed: Testbed, changes: tuple[FileChange, ...], watch: Watch) -> TestReport:
        report = real(testbed, changes, watch)
        decoy = bool(watch.failing.keys() & set(task.FAIL_TO_PASS))
        seen.extend([watch] if not decoy and watch not in seen else [])
        if decoy if endless == "decoys" else watch is seen[0]:
            return replace(report, finished=False, timed_out=True)
        return report

    monkeypatch.setattr(attempts, "run", run)
    base = trees.replaced(abacus.pristine, sealing.buggy_files(abacus.pristine, task.bug_patch))
    verdict = grade(task, from_patch(task.gold_patch, base), abacus)
    assert (verdict.resolved, verdict.violation) == (True, "")
