"""Suites that begin as forks of one that is collected: what they do is what suites of their own would do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from warm_process import LIMITS, Runner

from swesmith_gym.harness.worker import close_suite, open_suite, run_suite
from swesmith_gym.languages.python.testing import report
from swesmith_gym.records import Outcome, TestReport

THING = """import functools

def kept(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

class Thing:
    __size = 3

    def double(self, n):
        return self.__size and 2 * n

    @staticmethod
    def line():
        import sys
        return sys._getframe().f_lineno

    @property
    def parts(self):
        yield 1

@kept
def triple(n):
    return (lambda k: 3 * k)(n)

def default(n=4):
    return n

EARLY = default()
"""
TESTS = """import inspect
from thing import EARLY, Thing, default, triple
def test_double(): assert Thing().double(2) == 4
def test_line(): assert Thing.line() == 18
def test_triple(): assert triple(2) == 6
def test_parts(): assert list(Thing().parts) == [1]
def test_source(): assert inspect.getsource(Thing.double).count("return") == 1
def test_early(): assert EARLY == default() == 4
def test_late():
    import late
    assert late.value() == 1
"""
TREE = {"thing.py": THING, "late.py": "def value(): return 1\n", "tests/test_thing.py": TESTS}


@pytest.fixture
def stays(warm: Callable[..., Runner]) -> Runner:
    found = warm(TREE, paths=("tests",))
    assert found.ask(open_suite("gold", limit_s=30, stays=True)) == ["ready"]
    return found


def exchanged(runner: Runner, files: dict[str, str], state: str = "ready") -> TestReport:
    opened = open_suite("bug", {path: text.encode() for path, text in files.items()}, limit_s=30, of="gold")
    ran = run_suite("bug", None, LIMITS, limit_s=30, texts=True)
    rest = "done" if state == "ready" else "left out"
    assert runner.ask(opened, ran, close_suite("bug")) == [state, rest, "closed"]
    return runner.read(ran)


def failed(found: TestReport) -> set[str]:
    return {test.split("::")[1] for test, result in found.results.items() if result.outcome is not Outcome.PASSED}


@pytest.mark.parametrize(
    ("old", "new", "broken"),
    [
        ("self.__size and 2 * n", "self.__size and 3 * n", {"test_double"}),
        ("        return self.__size", "        n = n + 1\n        return self.__size", {"test_double", "test_line"}),
        ("3 * k", "4 * k", {"test_triple"}),
        ("(lambda k: 3 * k)(n)", "4 * n", {"test_triple"}),
        ("        return sys._getframe", "        # one line more\n        return sys._getframe", {"test_line"}),
        ("        yield 1", "        yield from (1, 2)", {"test_parts"}),
        ("        return self.__size and 2 * n", "        if n: return 4\n        return 0", {"test_source"}),
        ("        return function(*args)", "        return function(*args) + 1", {"test_triple"}),
    ],
)
def test_other_code_in_a_fork_does_what_a_suite_of_its_own_does(
    stays: Runner, old: str, new: str, broken: set[str]
) -> None:
    assert THING.count(old) == 1
    files = {"thing.py": THING.replace(old, new)}
    found = exchanged(stays, files)
    lines = {"test_line"} if new.count("\n") > old.count("\n") else set()
    assert failed(found) == broken | lines
    alone = stays.run(files)
    assert {test: (r.outcome, r.message) for test, r in found.results.items()} == {
        test: (r.outcome, r.message) for test, r in alone.results.items()
    }
    assert (found.collected, found.finished) == (alone.collected, True)
    assert failed(stays.run()) == set()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("        yield 1", "        return [1]"),  # another kind of function
        ("def default(n=4):", "def default(n=5):"),  # its head
        ("        return function(*args)", "        return None"),  # it holds nothing of what is around it any more
        ("2 * n", "2 *"),
        ("def default", "def other():\n    pass\n\ndef default"),
    ],
)
def test_what_cannot_be_exchanged_is_refused_and_nothing_is_changed(stays: Runner, old: str, new: str) -> None:
    if old.startswith("def default(n"):
        assert failed(exchanged(stays, {"thing.py": THING.replace(old, new)})) == set()  # for the caller to know
        return
    exchanged(stays, {"thing.py": THING.replace(old, new)}, "refused")
    assert failed(exchanged(stays, {"thing.py": THING})) == set()


def test_a_module_that_is_loaded_later_is_what_its_file_says(stays: Runner) -> None:
    assert failed(exchanged(stays, {"late.py": "def value(): return 2\n"})) == {"test_late"}
    assert failed(exchanged(stays, {"thing.py": THING})) == set()


def test_only_a_suite_that_stays_can_have_forks(warm: Callable[..., Runner]) -> None:
    runner = warm(TREE, paths=("tests",))
    assert runner.ask(open_suite("gold", limit_s=30)) == ["ready"]
    exchanged(runner, {"thing.py": THING}, "refused")
    opened = open_suite("bug", {}, limit_s=30, of="nobody")
    assert runner.ask(opened, close_suite("bug")) == ["ended", "closed"]


def again(runner: Runner, text: str, path: str = "tests/test_thing.py") -> tuple[str, TestReport]:
    opened = open_suite("sealed", {path: text.encode()}, limit_s=30, of="gold", again=[path])
    state, closed = runner.ask(opened, close_suite("sealed"))
    assert closed == "closed"
    raw = Path(opened["report"]).read_bytes() if state == "collected" else b""
    return state, report.parse(raw, exit_code=0, timed_out=False, duration_s=0.0, log="")


def test_files_are_collected_anew(warm: Callable[..., Runner]) -> None:
    fixtures = "import pytest\n@pytest.fixture(params=[1, 2])\ndef number(request): return request.param\n"
    tests = "import pytest\ndef test_one(number): pass\n@pytest.mark.parametrize('x', 'ab')\ndef test_two(x): pass\n"
    other = "from test_thing import test_one\n"
    tree = {"tests/conftest.py": fixtures, "tests/test_thing.py": tests, "tests/test_other.py": other}
    runner = warm(tree, paths=("tests",))
    assert runner.ask(open_suite("gold", limit_s=30, stays=True)) == ["ready"]
    state, found = again(runner, tests)
    assert (state, len(found.collected)) == ("collected", 4)
    state, found = again(runner, tests.partition("@pytest.mark")[0])
    assert found.collected == ("tests/test_thing.py::test_one[1]", "tests/test_thing.py::test_one[2]")
    state, found = again(runner, tests + "def broken(:\n")
    assert (state, set(found.broken_modules)) == ("collected", {"tests/test_thing.py"})
    assert len(again(runner, tests)[1].collected) == 4
    assert again(runner, "", "tests/nothing.py")[0] == "refused"


def test_what_imports_a_changed_file_sees_the_change(warm: Callable[..., Runner]) -> None:
    tree = {
        "tests/__init__.py": "",
        "tests/test_a.py": "def helper(): pass\ndef test_a(): pass\n",
        "tests/test_b.py": "from tests import test_a\nfrom tests.test_a import helper\ndef test_b(): pass\n",
    }
    runner = warm(tree, paths=("tests",))
    opened = open_suite("sealed", {"tests/test_a.py": b""}, limit_s=30, of="gold", again=sorted(tree)[1:])
    assert runner.ask(open_suite("gold", limit_s=30, stays=True), opened) == ["ready", "collected"]
    raw = Path(opened["report"]).read_bytes()
    assert set(report.parse(raw, exit_code=0, timed_out=False, duration_s=0, log="").broken_modules) == {
        "tests/test_b.py"
    }
