"""A Python text row by row: where heads and documentation end, which rows begin inside of a string.

Rows are counted from 1. They are what is taken out of a file and put into it.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any

from swesmith_gym.languages.python.entities import SourceFile
from swesmith_gym.languages.python.entities.scopes import Definition

DEFINED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BOM = "\ufeff"
_ROW = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_STRING_STARTS = frozenset({getattr(tokenize, "FSTRING_START", -1)})
_STRING_ENDS = frozenset({getattr(tokenize, "FSTRING_END", -1)})
_ASIDE = frozenset({"annotation", "returns", "type_comment", "type_params", "decorator_list", "ctx"})


def rows_of(text: str) -> list[str]:
    """The text's rows with their ends, cut where Python cuts them."""
    return _ROW.findall(text)


class Layout:
    """One text with its tree. Immutable once made."""

    def __init__(self, source: str) -> None:
        """Raises: SyntaxError."""
        self.file = SourceFile(source)
        self.bom = BOM if source.startswith(BOM) else ""
        self.raw = rows_of(source.removeprefix(BOM))
        """Rows with their ends, without the byte order mark."""
        self.rows = [row.rstrip("\r\n") for row in self.raw]
        self.tree = self.file.tree
        self._tokens = _tokens("\n".join([*self.rows, ""]))

    @cached_property
    def _statement_ends(self) -> list[int]:
        return [token.start[0] for token in self._tokens if token.type == tokenize.NEWLINE]

    @cached_property
    def comments(self) -> list[tuple[int, str]]:
        """(row, text) of every comment."""
        return [(token.start[0], token.string) for token in self._tokens if token.type == tokenize.COMMENT]

    @cached_property
    def fixed(self) -> frozenset[int]:
        """Rows that begin inside of a string that is no documentation: their white space is part of a value."""
        return frozenset(_inside_strings(self._tokens)) - self.documentation

    @cached_property
    def documentation(self) -> frozenset[int]:
        """Rows of docstrings but the first of each."""
        told = [documented(node) for node in ast.walk(self.tree) if isinstance(node, DEFINED)]
        return frozenset(row for each in told if each for row in range(each.lineno + 1, _last(each) + 1))

    def first_row(self, node: Definition) -> int:
        """Of a definition, its decorators included."""
        if not node.decorator_list:
            return node.lineno
        row = node.decorator_list[0].lineno
        while row > 1 and not self.rows[row - 1].lstrip().startswith("@"):
            row -= 1
        return row

    def header_end(self, node: Definition) -> int:
        """Row in which the line with the name, arguments or bases ends."""
        at = bisect_left(self._statement_ends, node.lineno)
        return self._statement_ends[at] if at < len(self._statement_ends) else _last(node)

    def head_end(self, node: Definition) -> int:
        """The same, and the documentation after it."""
        told = documented(node)
        return _last(told) if told else self.header_end(node)

    def column(self, node: ast.stmt) -> int:
        """Characters in front of a statement in its row."""
        return self.file.start(node) - self.file.line_start(node.lineno)

    def indent(self, row: int) -> str:
        """White space in front of a row."""
        text = self.rows[row - 1]
        return text[: len(text) - len(text.lstrip(" \t\f"))]


@lru_cache(maxsize=32)
def layout_of(source: str) -> Layout:
    """The layout of a file that is asked for again and again. Raises: SyntaxError."""
    return Layout(source)


def documented(node: Definition) -> ast.Expr | None:
    """The statement that documents a definition."""
    first = node.body[0]
    told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    return first if told and isinstance(first, ast.Expr) else None


def own_body(node: Definition) -> list[ast.stmt]:
    """Statements without what documents them; may be empty."""
    return node.body[1:] if documented(node) else node.body


def shape(value: Any, *, bare: bool = False, hole: ast.AST | None = None) -> Any:
    """What two equal trees share. `bare`: without documentation, annotations and decorators. `hole`: a node of which
    nothing is told. Raises: SyntaxError (nested too deeply)."""
    try:
        return _shape(value, bare, hole)
    except RecursionError as error:
        raise SyntaxError("nested too deeply") from error


def _shape(value: Any, bare: bool, hole: ast.AST | None) -> Any:
    if isinstance(value, ast.AST):
        if value is hole:
            return "hole"
        parts = []
        for field in value._fields:
            if field in _ASIDE and (bare or field == "ctx"):
                continue
            inner = getattr(value, field, None)
            if bare and field == "body" and isinstance(value, DEFINED):
                inner = own_body(value)
            parts.append(_shape(inner, bare, hole))
        return type(value).__name__, *parts
    if isinstance(value, list):
        return tuple(_shape(each, bare, hole) for each in value)
    return repr(value)


def _last(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    try:
        return list(tokenize.generate_tokens(io.StringIO(text, newline="\n").readline))
    except (tokenize.TokenError, ValueError, RecursionError) as error:
        raise SyntaxError(str(error)) from error


def _inside_strings(tokens: list[tokenize.TokenInfo]) -> Iterator[int]:
    depth, start = 0, 0
    for token in tokens:
        if token.type in _STRING_STARTS:
            start = start if depth else token.start[0]
            depth += 1
        elif token.type in _STRING_ENDS:
            depth -= 1
            if not depth:
                yield from range(start + 1, token.end[0] + 1)
        elif token.type == tokenize.STRING and not depth:
            yield from range(token.start[0] + 1, token.end[0] + 1)
