"""Statements taken out of a file as spans of text: every other byte stays."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from swesmith_gym.languages.python.testing.scopes import Function, Place


class CannotCut(ValueError):
    """The statement shares its line with others."""


@dataclass(frozen=True, slots=True)
class Span:
    """Lines `start` to `end` (counted from 0, end excluded) and what replaces them."""

    start: int
    end: int
    replacement: bytes = b""


def cut(source: bytes, places: Iterable[Place], stubs: Iterable[str]) -> bytes:
    """`source` without the statements. A body that would be empty gets `pass`; a statement that binds a name in
    `stubs` is replaced by an assignment of None. Raises: CannotCut."""
    lines = source.splitlines(keepends=True)
    chosen, kept_names = list(places), frozenset(stubs)
    gone = {id(place.statement) for place in chosen}
    spans = []
    for place in chosen:
        emptied = all(id(other) in gone for other in place.body) and place.statement is place.body[0]
        spans.append(_span(lines, place.statement, emptied=emptied, stubs=kept_names))
    for span in sorted(spans, key=lambda span: span.start, reverse=True):
        lines[span.start : span.end] = [span.replacement] if span.replacement else []
    return b"".join(lines)


def first_line(statement: ast.stmt) -> int:
    """First line of a statement, decorators included, counted from 1."""
    decorators = statement.decorator_list if isinstance(statement, Function | ast.ClassDef) else []
    return min([statement.lineno, *(node.lineno for node in decorators)])


def _span(lines: list[bytes], statement: ast.stmt, *, emptied: bool, stubs: frozenset[str]) -> Span:
    start, end = first_line(statement) - 1, statement.end_lineno or statement.lineno
    indent = _alone(lines, statement, start, end)
    name = _name(statement)
    newline = b"\r\n" if lines[start].endswith(b"\r\n") else b"\n"
    start = _with_comments(lines, start, indent)
    if name in stubs:
        return Span(start, end, indent + name.encode() + b" = None" + newline)
    if emptied:
        return Span(start, end, indent + b"pass" + newline)
    return Span(*_with_blanks(lines, start, end, indent))


def _name(statement: ast.stmt) -> str:
    if isinstance(statement, Function | ast.ClassDef):
        return statement.name
    target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
    return target.id if isinstance(target, ast.Name) else ""


def _alone(lines: list[bytes], statement: ast.stmt, start: int, end: int) -> bytes:
    """The statement's indentation. Raises: CannotCut (something else is on its lines)."""
    first = lines[start]
    indent = first[: len(first) - len(first.lstrip())]
    head = lines[statement.lineno - 1][: statement.col_offset]
    tail = lines[end - 1][statement.end_col_offset or 0 :].strip()
    if head.strip() or (tail and not tail.startswith(b"#")):
        raise CannotCut(f"line {statement.lineno}")
    return indent


def _with_comments(lines: list[bytes], start: int, indent: bytes) -> int:
    while start and lines[start - 1].startswith(indent + b"#"):
        start -= 1
    return start if not (start == 0 and lines[0].startswith(b"#!")) else 1


def _with_blanks(lines: list[bytes], start: int, end: int, indent: bytes) -> tuple[int, int]:
    """Take the blank lines on one side too, so that the neighbours keep the distance that they had."""
    after = end
    while after < len(lines) and not lines[after].strip():
        after += 1
    following = lines[after] if after < len(lines) else b""
    same_level = following.startswith(indent) and following[len(indent) : len(indent) + 1].strip()
    if same_level:
        return start, after
    while start and not lines[start - 1].strip():
        start -= 1
    return start, end
