"""Which pieces of code two texts differ in: never fewer than behave otherwise."""

from __future__ import annotations

from types import CodeType

import pytest

from swesmith_gym.languages.python.changes import changed_code

SOURCE = '''"""Things."""

import os

LIMIT = 3


def cached(function):
    """Keeps results."""
    known = {}

    def wrapper(*args):
        if args not in known:
            known[args] = function(*args)
        return known[args]

    return wrapper


@cached
def size(name: str, least: int = LIMIT) -> int:
    """Its size."""
    return max([len(each) for each in name.split() if each], default=least)


class Thing:
    """A thing."""

    kind = "plain"

    def __init__(self, name):
        self.name = name

    @property
    def long(self):
        key = lambda text: len(text)
        return key(self.name) > LIMIT

    class Part:
        def weigh(self):
            return 1
'''
MODULE = "a.py:0:<module>"


def changed(*edits: tuple[str, str]) -> set[str]:
    after = SOURCE
    for old, new in edits:
        assert after.count(old) == 1
        after = after.replace(old, new)
    found = changed_code("a.py", SOURCE, after)
    assert found is not None
    return set(found)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("if args not in known", "if args in known", {"a.py:12:wrapper"}),
        ("known = {}", "known = {1: 2}", {"a.py:8:cached"}),
        ("for each in name.split() if each", "for each in name.split()", {"a.py:20:size"}),
        ("least: int = LIMIT", "least: int = 0", {MODULE}),
        ("@cached\n", "", {MODULE}),
        ('"""Its size."""', '"""Size."""', {MODULE}),
        ('"""A thing."""', '"""One thing."""', {"a.py:26:Thing"}),
        ('kind = "plain"', 'kind = "odd"', {"a.py:26:Thing"}),
        ("key = lambda text: len(text)", "key = lambda text: 0", {"a.py:34:long"}),
        ("@property", "@staticmethod", {"a.py:26:Thing"}),
        ("def weigh(self)", "def weigh(self, by=1)", {"a.py:39:Part"}),
        ("class Part", "class Piece", {"a.py:26:Thing"}),
        ("return 1", "yield 1", {"a.py:40:weigh"}),
        ("LIMIT = 3", "LIMIT = 4", {MODULE}),
        ("class Thing:", "class Thing(dict):", {MODULE}),
    ],
)
def test_the_innermost_piece_is_named(old: str, new: str, expected: set[str]) -> None:
    assert changed((old, new)) == expected


def test_pieces_are_called_as_the_interpreter_calls_them() -> None:
    pending, names = [compile(SOURCE, "a.py", "exec")], set()
    while pending:
        code = pending.pop()
        names.add(f"a.py:{code.co_firstlineno}:{code.co_name}")
        pending += [each for each in code.co_consts if isinstance(each, CodeType)]
    edits = (("if args not", "if args"), ("known = {}", "known = 1"), ('"plain"', '"odd"'), ("return 1", "return 2"))
    assert len(changed(*edits)) == 4
    assert changed(*edits) <= names


def test_layout_and_comments_are_no_change() -> None:
    assert changed(("known = {}", "known  =  { }  # nothing yet"), ("import os", "\n\nimport os")) == set()


def test_several_pieces_are_all_named() -> None:
    edits = (("self.name = name", "self.name = None"), ("known = {}", "known = None"), ("return 1", "return 2"))
    assert changed(*edits) == {"a.py:31:__init__", "a.py:8:cached", "a.py:40:weigh"}


def test_a_piece_that_is_taken_away_is_missed_by_what_it_is_in() -> None:
    taken = "    class Part:\n        def weigh(self):\n            return 1\n"
    assert changed((taken, "")) == {"a.py:26:Thing"}


def test_what_does_not_parse_cannot_be_told() -> None:
    assert changed_code("a.py", SOURCE, SOURCE + "def (") is None
    assert changed_code("a.py", "def (", SOURCE) is None
