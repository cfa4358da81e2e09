"""Where the text tells that a test can go without a change to any other, and where it does not."""

from __future__ import annotations

import textwrap

import pytest

from swesmith_gym.languages.python.testing.hiding import hide

HEAD = """
import pytest
from unittest import TestCase
import helpers
DATA = [1, 2]
def test_kept(): pass
class TestPair(TestCase):
    def test_kept(self): pass
    def test_two(self): pass
class TestLone:
    '''One.'''
    def test_lone(self): pass
"""
SURE = {
    "a function": ("def test_x(): pass", "test_x"),
    "a coroutine with a fixture": ("async def test_x(tmp_path: object, *, n: int = 1) -> None: pass", "test_x"),
    "marks": (
        "@pytest.mark.slow\n@pytest.mark.parametrize('n', [pytest.param(-1, id='a'), (DATA, {'k': helpers.x})])\n"
        "def test_x(n): pass",
        "test_x[a]",
    ),
    "a method": ("", "TestPair::test_two"),
    "a whole class": ("", "TestLone::test_lone"),
    "a class below one of the file": ("class TestSub(TestLone):\n    def test_x(self): pass", "TestSub::test_x"),
    "its name is another's beginning": ("def test_x(): pass\ndef test_x_more(): pass", "test_x"),
    "another of the same name": ("class TestA:\n    def test_x(self): pass\ndef test_x(): pass", "test_x"),
}
UNSURE = {
    "a comment names it": ("def test_x(): pass\n# like test_x", "test_x"),
    "a text names it": ("def test_x(): pass\norder = 'test_kept test_x'", "test_x"),
    "other code uses it": ("def test_x(): pass\ntest_x.slow = True", "test_x"),
    "the module is looked through": ("def test_x(): pass\nnames = list(globals())", "test_x"),
    "a class is looked through": ("def test_x(): pass\nprint(TestPair.__dict__)", "test_x"),
    "a decorator": ("@helpers.register\ndef test_x(): pass", "test_x"),
    "a decorator that is called": ("@helpers.register()\ndef test_x(): pass", "test_x"),
    "a call in a mark": ("@pytest.mark.parametrize('n', [helpers.next()])\ndef test_x(n): pass", "test_x"),
    "a call in a default": ("def test_x(n=helpers.next()): pass", "test_x"),
    "a call in an annotation": ("def test_x(n: helpers.next()): pass", "test_x"),
    "a metaclass": ("class TestA(metaclass=helpers.Meta):\n    def test_x(self): pass", "TestA::test_x"),
    "a base class from elsewhere": ("class TestA(helpers.Base):\n    def test_x(self): pass", "TestA::test_x"),
    "a base class below one from elsewhere": (
        "class Base(helpers.Base): pass\nclass TestA(Base):\n    def test_x(self): pass",
        "TestA::test_x",
    ),
    "a decorated class": ("@helpers.each\nclass TestA:\n    def test_x(self): pass", "TestA::test_x"),
    "it is assigned": ("test_x = helpers.make()", "test_x"),
    "a doctest is in the file": ("def test_x(): pass", "test_x", "test_a.py::test_a.f"),
    "an inherited test": ("class TestSub(TestPair): pass", "TestPair::test_two", "test_a.py::TestSub::test_two"),
    "it hides an inherited one": ("class TestSub(TestPair):\n    def test_two(self): pass", "TestSub::test_two"),
}


def certain(source, test, *others, **files):
    text = {"test_a.py": HEAD + source + "\n", **{f"{name}.py": text for name, text in files.items()}}
    data = {name: textwrap.dedent(each).encode() for name, each in text.items()}
    ids = [f"test_a.py::{test}", "test_a.py::test_kept", "test_a.py::TestPair::test_kept", *others]
    return hide(data, ids[:1], ids, how="functions", keep=()).certain


@pytest.mark.parametrize("case", SURE.values(), ids=SURE)
def test_it_is_certain(case):
    assert certain(*case)


@pytest.mark.parametrize("case", UNSURE.values(), ids=UNSURE)
def test_it_is_to_be_tried(case):
    assert not certain(*case)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"test_b": "import test_a\n"}, False),
        ({"test_b": "load('test_a')\n"}, False),
        ({"test_b": "def test_a(): pass\n"}, True),
        ({"conftest": "def pytest_collection_modifyitems(items): items[:] = items[:2]\n"}, False),
        ({"conftest": "import pytest\n"}, True),
    ],
)
def test_other_files_may_look_at_it(files, expected):
    assert certain("def test_x(): pass", "test_x", **files) is expected


def test_a_file_that_goes_as_a_whole_is_to_be_tried():
    source = {"test_a.py": b"def test_x(): pass\n", "test_b.py": b"def test_x(): pass\n"}
    ids = ["test_a.py::test_x", "test_b.py::test_x"]
    assert not hide(source, ids[:1], ids, how="files", keep=()).certain


def test_a_conftest_file_is_never_certain():
    ids = ["conftest.py::test_x"]
    assert not hide({"conftest.py": b"def test_x(): pass\n"}, ids, ids, how="functions", keep=()).certain
