"""The impact map: which tests a change reaches, and what is stored of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from swesmith_gym import languages
from swesmith_gym.harness import impact
from swesmith_gym.harness.impact import Exactness, Impact
from swesmith_gym.languages.base import CollectionTrace, TestTrace

CODE = b"def one():\n    return 1\n\n\ndef two():\n    return 2\n\n\nTHREE = 3\n"
NOTHING: frozenset[str] = frozenset()
MAP = Impact(
    tests={
        "tests/test_a.py::test_one": TestTrace({"a.py:1:one": 1, "tests/test_a.py:1:test_one": 0}, NOTHING, False),
        "tests/test_a.py::test_two": TestTrace({"a.py:5:two": 2, "a.py:1:one": 3}, frozenset({"data.txt"}), False),
        "tests/test_b.py::test_late": TestTrace({"a.py:0:<module>": 1}, NOTHING, False),
        "tests/test_b.py::test_hidden": TestTrace({}, NOTHING, True),
        "tests/test_b.py::test_none": TestTrace({}, NOTHING, False),
        "tests/test_b.py::test_source": TestTrace({}, frozenset({"a.py"}), False),
    },
    files={
        "tests/test_a.py": CollectionTrace(frozenset({"a.py:0:<module>", "tests/conftest.py:0:<module>"}), NOTHING, ()),
        "tests/test_b.py": CollectionTrace(NOTHING, frozenset({"cases.json"}), ()),
    },
    collecting=frozenset({"a.py:0:<module>", "a.py:1:one", "cases.json"}),
    loaded=("json", "decimal"),
    order_dependent=("tests/test_b.py::test_second",),
    cpu_s={"tests/test_a.py::test_one": 0.01},
)
ALWAYS = {"test_hidden"}


def reached(after: bytes | None, path: str = "a.py", before: bytes | None = CODE) -> set[str] | None:
    found = MAP.reached({path: (before, after)}, languages.get("python"))
    return None if found is None else {test.split("::")[1] for test in found}


@pytest.mark.parametrize(
    ("old", "new", "tests"),
    [
        (b"return 1", b"return 0", {"test_one", "test_two", "test_source"}),
        (b"return 2", b"return 0", {"test_two", "test_source"}),
        (b"THREE = 3", b"THREE = 4", {"test_one", "test_two", "test_late", "test_source"}),
        (b"return 1", b"return 1  # one", {"test_source"}),
    ],
)
def test_a_change_of_code_reaches_those_that_enter_it(old: bytes, new: bytes, tests: set[str]) -> None:
    assert reached(CODE.replace(old, new)) == tests | ALWAYS


def test_no_change_reaches_only_what_hides() -> None:
    assert reached(CODE) == ALWAYS


@pytest.mark.parametrize(("path", "after"), [("data.txt", b"x"), ("a.py", None), ("a.py", b"\xff"), ("a.py", b"def (")])
def test_what_cannot_be_told_reaches_all(path: str, after: bytes | None) -> None:
    assert reached(after, path) is None


def test_the_nearest_piece_tells_the_depth() -> None:
    assert MAP.depth("tests/test_a.py::test_two", ["a.py:1:one", "a.py:5:two"]) == 2
    assert MAP.depth("tests/test_b.py::test_none", ["a.py:1:one"]) is None
    assert MAP.depth("tests/test_b.py::test_unknown", ["a.py:1:one"]) is None


def test_which_test_files_have_to_do_with_a_file() -> None:
    assert MAP.files_touched_by(["tests/conftest.py"]) == {"tests/test_a.py"}
    assert MAP.files_touched_by(["tests/test_b.py", "cases.json"]) == {"tests/test_b.py"}
    assert MAP.files_touched_by(["other.py"]) == set()


def test_it_is_stored_whole() -> None:
    for found in (MAP, replace(MAP, exactness=Exactness(2, 1, ("one",))), Impact(unfit="why")):
        assert impact.from_bytes(impact.to_bytes(found)) == found
    for raw in (b"", b"x", impact.to_bytes(MAP)[:40]):
        with pytest.raises(ValueError, match=r"not an impact map"):
            impact.from_bytes(raw)


def test_full_runs_are_the_rule_until_exactness_is_shown() -> None:
    assert "not measured" in MAP.refused
    assert "not measured" in replace(MAP, exactness=Exactness(0, 0)).refused
    assert replace(MAP, exactness=Exactness(9, 9)).refused == ""
    assert "a.py: impacted" in replace(MAP, exactness=Exactness(9, 8, ("a.py: impacted 1 F2P; full 2 F2P",))).refused
    assert replace(MAP, unfit="because", exactness=Exactness(9, 9)).refused == "because"


@pytest.mark.parametrize(
    ("path", "after", "fits"),
    [
        ("a.py", CODE.replace(b"return 2", b"return 3"), True),
        ("a.py", CODE.replace(b"return 1", b"return 3"), False),  # it is called at import
        ("a.py", CODE.replace(b"THREE = 3", b"THREE = 4"), False),
        ("a.py", CODE.replace(b"def two()", b"def two(n=1)"), False),
        ("a.py", None, False),
        ("cases.json", b"{}", False),
    ],
)
def test_what_has_not_run_when_all_is_collected_can_be_exchanged(path: str, after: bytes | None, fits: bool) -> None:
    language = languages.get("python")
    assert MAP.exchangeable({path: (CODE, after)}, language) is fits
    assert not replace(MAP, collecting=NOTHING).exchangeable({path: (CODE, after)}, language)
