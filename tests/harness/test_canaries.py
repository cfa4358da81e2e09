"""Tests whose outcome is known: how they are planted in the text of a test module."""

from __future__ import annotations

import ast
import random
from typing import Any

import pytest

from swesmith_gym import languages
from swesmith_gym.languages.base import Canaries

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


def test_lines_are_the_same_in_both_runs() -> None:
    """Of the canaries, too, where the file has no end of line behind its last test."""
    for seed in range(50):
        found = plant(seed)
        lines = [files["tests/test_it.py"].splitlines() for files in (found.files, found.decoy_files)]
        assert len(lines[0]) == len(lines[1])
        own = len(MODULE.splitlines())
        assert lines[0][own:] == lines[1][own:]


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


def test_a_copy_has_what_its_original_uses_of_the_class() -> None:
    source = b"""\
import pytest


class TestCoding:
    codings = "utf-8", "utf-16"
    size = 3

    @pytest.mark.parametrize("coding", codings)
    def test_round_trip(self, coding, size=size):
        assert "abc".encode(coding).decode(coding) == "abc"
        assert size == 3
"""
    path = "tests/test_it.py"
    ids = [f"tests/test_it.py::TestCoding::test_round_trip[{coding}]" for coding in ("utf-8", "utf-16")]
    for seed in range(20):
        found = python.canaries({path: source}, ids, ids, random.Random(seed))
        for text in (found.files[path], found.decoy_files[path]):
            namespace: dict[str, object] = {}
            exec(compile(text, path, "exec"), namespace)
            assert namespace.keys() - {"__builtins__"} == {"pytest", "TestCoding"}
            names = [name.rsplit("::", 1)[1] for name in (*found.twins, *found.failing)]
            assert found.twins
            assert all(callable(getattr(namespace["TestCoding"], name)) for name in names)
    taken = source.replace(b"import pytest", b"import pytest\nsize = 4")
    assert not python.canaries({path: taken}, ids, ids, random.Random(0)).twins


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
