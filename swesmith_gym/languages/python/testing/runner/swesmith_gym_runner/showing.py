"""Quicker tracebacks: pytest parses their files anew for each failing test, here each text is parsed once."""

from __future__ import annotations

import ast
import linecache
from typing import Any, Iterable  # noqa: UP035  (3.8 cannot subscript those of collections.abc)

EXPECTED_CHARS = 512 << 10
"""Text that is parsed ahead: trees take some fifty times as much memory."""


class KeptTrees:
    """Stands in for the module `ast` where pytest looks for the statement that a line belongs to."""

    def __init__(self) -> None:
        self._trees: dict[str, ast.AST] = {}
        self._statements: dict[ast.AST, list[ast.AST]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(ast, name)

    def parse(self, text: str, *options: Any, **named: Any) -> ast.AST:
        """As `ast.parse`, of the same text but once."""
        if text not in self._trees:
            self._trees[text] = ast.parse(text, *options, **named)
        return self._trees[text]

    def walk(self, tree: ast.AST) -> list[ast.AST]:
        """The statements and handlers below: nothing else is looked at."""
        if tree not in self._statements:
            found: list[ast.AST] = [node for node in ast.walk(tree) if isinstance(node, (ast.stmt, ast.ExceptHandler))]
            self._statements[tree] = found
        return self._statements[tree]


_kept = KeptTrees()


def install() -> None:
    """Before the first failure."""
    from _pytest._code import source

    if getattr(source, "ast", None) is ast:
        setattr(source, "ast", _kept)  # noqa: B010  (a module, by its type)


def expect(paths: Iterable[str]) -> None:
    """Tracebacks will lead through these files."""
    left = EXPECTED_CHARS
    for path in paths:
        text = "\n".join(line.rstrip() for line in linecache.getlines(path))
        left -= len(text)
        if left < 0:
            return
        try:
            _kept.walk(_kept.parse(text, "source", "exec"))
        except (SyntaxError, ValueError):
            continue
