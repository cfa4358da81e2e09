"""Entities of Python files: names, lines, complexity, tags."""

from __future__ import annotations

import pytest

from swesmith_gym.languages.python.entities import SourceFile, entities
from swesmith_gym.languages.python.entities.scopes import TAGS
from swesmith_gym.languages.python.operators import get, names

SOURCE = '''\
from typing import TYPE_CHECKING, overload


@deco(
    1
)
class A(B):
    """Doc."""

    x = 1

    async def f(self, n=3):
        async with self.lock:
            return [k for k in n if k and not n < 2]

    @overload
    def g(self): ...


def outer(a):
    if TYPE_CHECKING:
        import q
    def inner():
        while a: pass
    try:
        return inner if a else 1
    except ValueError:
        raise
'''


def test_names_lines_and_order() -> None:
    found = [(each.name, each.kind, each.start, each.end) for each in entities("m.py", SOURCE)]
    assert found == [
        ("A", "class", 4, 17),
        ("A.f", "function", 12, 14),
        ("A.g", "function", 16, 17),
        ("outer", "function", 20, 28),
        ("outer.<locals>.inner", "function", 23, 24),
    ]
    assert {each.path for each in entities("m.py", SOURCE)} == {"m.py"}


def test_complexity() -> None:
    complexity = {each.name: each.complexity for each in entities("m.py", SOURCE)}
    # f: comprehension, `and`, one comparison; outer: the inner loop, ternary, handler; a class counts its methods.
    assert complexity == {"A": 4, "A.f": 4, "A.g": 1, "outer": 4, "outer.<locals>.inner": 2}


def test_tags() -> None:
    tags = {each.name: each.tags for each in entities("m.py", SOURCE)}
    assert tags["A"] >= {"base", "method", "assign", "number"}
    assert tags["A.f"] >= {"async", "wrapper", "return", "bool_op", "comparison", "not", "default", "number"}
    assert "loop" not in tags["outer"]
    assert tags["outer"] >= {"wrapper", "except", "ternary", "raise"}
    assert tags["outer.<locals>.inner"] >= {"loop"}
    assert tags["A.g"] == frozenset()


def test_operators_ask_for_known_tags_only() -> None:
    for name in names():
        assert get(name).needs <= TAGS, name


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_offsets(newline: str) -> None:
    source = f"x = 'äöü€𝄞'; y = 'é'{newline}z = (x, y){newline}"
    file = SourceFile(source)
    assert [file.text(each) for each in file.tree.body] == ["x = 'äöü€𝄞'", "y = 'é'", "z = (x, y)"]
    assert file.newline == newline
