"""Failure texts, as the real runner makes them, taken apart; and reproductions made from test sources."""

from __future__ import annotations

import textwrap

import pytest

from swesmith_gym.languages.base import FailureSummary
from swesmith_gym.languages.python.language import Python

CODE = '''
"""Tests."""
from __future__ import annotations
import pytest
import math, json
from collections import OrderedDict, Counter

LIMIT = 3

class Helper:
    def __init__(self, value): self.value = value

def double(x): return x * LIMIT

def test_equal():
    """It doubles."""
    assert double(2) == 4
    assert math.pi > 3

def test_swapped():
    expected = [1]
    assert expected == list(Counter("a").values()) * 2

def test_is():
    assert Helper(1).value is None

def test_crash():
    json.loads("{")

def test_silent():
    with pytest.raises((KeyError, ValueError)):
        double(1)

@pytest.mark.parametrize("text, number", [("a b", 2), ("ü\\n", 7)])
def test_given(text, number):
    assert len(text) == number

@pytest.mark.parametrize("kind", [Helper])
def test_object(kind):
    assert kind(2).value == 3

@pytest.fixture
def fixed(): raise OSError("no disk")

def test_fixture(fixed):
    pass

import unittest
class TestUnit(unittest.TestCase):
    def test_silent(self):
        with self.assertRaises(KeyError):
            double(1)

class TestThing:
    def test_method(self):
        value = double(5)
        assert value == 10

    def test_self(self):
        self.check(double(5))

    def check(self, value):
        assert value == 10

    def test_chain(self):
        try:
            {}["k"]
        except KeyError as error:
            raise RuntimeError("outer") from error
'''


@pytest.fixture
def summary(runner):
    def one(name):
        found = runner({"tests/test_x.py": CODE}, tests={f"tests/test_x.py::{name}"})
        (result,) = found.results.values()
        return Python().failure_summary(result.message)

    return one


FILES = {"tests/test_x.py": textwrap.dedent(CODE).encode()}


def test_a_comparison(summary):
    found = summary("test_equal")
    assert (found.exception, found.expected, found.actual) == ("AssertionError", "4", "6")
    assert found.message == "assert 6 == 4"
    assert found.line == "assert double(2) == 4"
    assert found.test_id == "tests/test_x.py::test_equal"


@pytest.mark.parametrize(
    ("name", "exception", "expected", "actual"),
    [
        ("test_swapped", "AssertionError", "[1]", "[1, 1]"),
        ("test_is", "AssertionError", "None", "1"),
        ("test_crash", "json.decoder.JSONDecodeError", "", ""),
        ("test_silent", "Failed", "KeyError or ValueError is raised", "nothing is raised"),
        ("test_fixture", "OSError", "", ""),
        ("TestUnit::test_silent", "AssertionError", "KeyError is raised", "nothing is raised"),
        ("TestThing::test_self", "AssertionError", "10", "15"),
        ("TestThing::test_chain", "RuntimeError", "", ""),
    ],
)
def test_other_failures(summary, name, exception, expected, actual):
    found = summary(name)
    assert (found.exception, found.expected, found.actual) == (exception, expected, actual)


def test_values_that_a_test_was_given(summary):
    assert summary("test_given[a b-2]").values == (("text", "'a b'"), ("number", "2"))


@pytest.mark.parametrize(
    "text", ["", "\n", "E", "E   ", "assert", "test: ", "with: x", "E   assert (", "E   a == b == c"]
)
def test_no_text_is_too_odd(text):
    assert isinstance(Python().failure_summary(text), FailureSummary)


def test_a_reproduction_ends_with_what_failed(summary):
    assert Python().reproduction(FILES, summary("test_equal")) == (
        "LIMIT = 3\n\ndef double(x): return x * LIMIT\n\nassert double(2) == 4"
    )


def test_a_reproduction_has_imports_and_given_values(summary):
    assert Python().reproduction(FILES, summary("test_crash")) == 'import json\n\njson.loads("{")'
    assert Python().reproduction(FILES, summary("test_given[a b-2]")) == (
        "text = 'a b'\nnumber = 2\nassert len(text) == number"
    )


def test_a_method_becomes_a_script_where_it_does_not_need_its_object(summary):
    assert "self" not in Python().reproduction(FILES, summary("TestThing::test_method"))
    assert "def test_self(self):" in Python().reproduction(FILES, summary("TestThing::test_self"))


def test_values_that_are_no_source_are_told_as_comments(summary):
    code = Python().reproduction(FILES, summary("test_object[Helper]"))
    assert "# kind = <class 'test_x.Helper'>" in code
    assert "def test_object(kind):" in code


def test_reproductions_parse(summary):
    for name in ("test_equal", "test_silent", "test_object[Helper]", "TestThing::test_chain", "test_fixture"):
        compile(Python().reproduction(FILES, summary(name)), name, "exec")


def test_long_tests_are_shortened():
    lines = "\n".join(f"    x{n} = {n}" for n in range(100))
    code = Python().reproduction({"t.py": f"def test_a():\n{lines}\n".encode()}, FailureSummary(test_id="t.py::test_a"))
    assert len(code.splitlines()) == 41
    assert code.splitlines()[12] == "..."
    assert code.endswith("x99 = 99")


def test_no_source_no_reproduction():
    assert Python().reproduction(FILES, FailureSummary(test_id="tests/test_x.py::test_absent")) == ""
    assert Python().reproduction({}, FailureSummary()) == ""


@pytest.mark.parametrize(
    ("test_id", "topic"),
    [
        ("tests/test_parse_tree.py::TestX::test_splits_CTEs[1]", ("parse tree", "splits ctes")),
        ("tests/core_test.py::testCamelCase", ("core", "camel case")),
        ("docs/use.rst::use.rst", ("use", "use rst")),
        ("", ("", "")),
    ],
)
def test_topics(test_id, topic):
    assert Python().test_topic(test_id) == topic


@pytest.mark.parametrize(
    ("message", "wants"),
    [
        ("E   socket.gaierror: [Errno -3] Temporary failure in name resolution", True),
        ("E   OSError: [Errno 101] Network is unreachable", True),
        ("urllib3.exceptions.MaxRetryError: ... Failed to establish a new connection: [Errno -2]", True),
        ("E   AssertionError: assert 'network' == 'reachable'", False),
        ("", False),
    ],
)
def test_a_failure_for_want_of_a_network(message: str, wants: bool) -> None:
    assert Python().needs_network(message) is wants
