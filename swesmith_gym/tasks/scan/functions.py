"""What a changed function is looked for by, since a copy of it alone has not what stands around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from swesmith_gym.languages.base import Language

SHORTEST = 14
"""Tokens of a run at least: shorter ones are everywhere."""
SHORTEST_SHAPE = 20
"""The same where names do not count."""


@dataclass(frozen=True, slots=True)
class Function:
    """The innermost function or class around a change, before and after it."""

    name: str
    """`<module>`: there is none."""
    before: str
    after: tuple[str, ...]
    """Each of that name: which one it is does not matter."""


def innermost(language: Language, path: str, before: str, after: str, lines: tuple[int, int]) -> Function:
    """That around the lines (first, last) of the text before the change."""
    around = [each for each in _entities(language, path, before) if each[1] <= lines[0] and lines[1] <= each[2]]
    if not around:
        return Function("<module>", "", ())
    name, start, end = min(around, key=lambda each: each[2] - each[1])
    same = [each for each in _entities(language, path, after) if each[0] == name]
    return Function(name, _cut(before, start, end), tuple(_cut(after, first, last) for _, first, last in same))


def runs(function: Function, after: str, language: Language) -> Iterator[tuple[str, ...]]:
    """All of it, and what it does without its name and documentation, where the buggy text has not the same."""
    buggy = [language.copy_tokens(after, exact=False), *map(language.copy_core, function.after)]
    for run in (language.copy_tokens(function.before, exact=False), language.copy_core(function.before)):
        if len(run) >= SHORTEST and not any(_join(run) in _join(each) for each in buggy):
            yield tuple(run)


def shapes(function: Function, language: Language) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(name, shape), where that tells it from the buggy one."""
    shape = language.copy_shape(function.before)
    if len(shape) >= SHORTEST_SHAPE and shape not in map(language.copy_shape, function.after):
        yield function.name, tuple(shape)


def _entities(language: Language, path: str, source: str) -> list[tuple[str, int, int]]:
    try:
        return [(each.name.rpartition(".")[2], each.start, each.end) for each in language.entities(path, source)]
    except SyntaxError:
        return []


def _cut(text: str, start: int, end: int) -> str:
    return "".join(text.splitlines(keepends=True)[start - 1 : end])


def _join(tokens: list[str]) -> str:
    return "\0" + "\0".join(tokens) + "\0"
