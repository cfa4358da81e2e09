"""An `else` branch is left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import else_line


class ElseRemove(Operator[ast.If | ast.For | ast.AsyncFor | ast.While | ast.Try]):
    """Of a conditional statement, a loop or a `try`."""

    name = "else_remove"
    sentence = "an `else` branch was left out"
    needs = frozenset()
    complexity = (2, None)
    likelihood = 0.25
    valid = (
        Example.of(
            "def f(a):\n    if a:\n        g()\n    # c\n    else:\n        h()\n",
            "def f(a):\n    if a:\n        g()\n    # c\n",
        ),
        Example.of(
            "def f(a):\n    for b in a:\n        g()\n    else: h()\n    return a\n",
            "def f(a):\n    for b in a:\n        g()\n    return a\n",
        ),
    )
    invalid = ("def f(a):\n    if a: g()\n    elif f: h()\n", "def f(a): return 1 if a else 2")

    def sites(self, scope: Scope) -> Iterator[ast.If | ast.For | ast.AsyncFor | ast.While | ast.Try]:
        """Statements with such a branch."""
        yield from (node for node in scope.find(ast.If) if node.orelse)
        yield from (node for node in scope.find(ast.For) if node.orelse)
        yield from (node for node in scope.find(ast.AsyncFor) if node.orelse)
        yield from (node for node in scope.find(ast.While) if node.orelse)
        yield from (node for node in scope.find(ast.Try) if node.orelse)

    def edits(
        self, scope: Scope, site: ast.If | ast.For | ast.AsyncFor | ast.While | ast.Try
    ) -> Iterator[tuple[Edit, ...]]:
        """Take out the lines from `else:` to the end of its block."""
        before = site.handlers[-1] if isinstance(site, ast.Try) and site.handlers else site.body[-1]
        start = else_line(scope, before, site.orelse)
        last = site.orelse[-1].end_lineno
        if start is not None and last:
            yield (Edit(start, scope.file.line_end(last), ""),)
