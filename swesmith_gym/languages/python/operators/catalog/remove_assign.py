"""An assignment is left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import removal


class RemoveAssign(Operator[ast.Assign | ast.AugAssign | ast.AnnAssign]):
    """Where its block would be empty, `pass` stands in."""

    name = "remove_assign"
    sentence = "an assignment was left out"
    needs = frozenset()
    complexity = (3, None)
    likelihood = 0.25
    valid = (
        Example.of(
            "def f(a):\n    b = 1\n    a.b = 2\n    return b\n",
            "def f(a):\n    b = 1\n    return b\n",
            "def f(a):\n    a.b = 2\n    return b\n",
        ),
        Example.of(
            "def f(a):\n    if a:\n        a += 1\n    return a\n", "def f(a):\n    if a:\n        pass\n    return a\n"
        ),
    )
    invalid = ("def f(a):\n    b: int\n    return a\n",)

    def sites(self, scope: Scope) -> Iterator[ast.Assign | ast.AugAssign | ast.AnnAssign]:
        """Assignments of every kind that set a value."""
        yield from scope.find(ast.Assign)
        yield from scope.find(ast.AugAssign)
        for node in scope.find(ast.AnnAssign):
            if node.value:
                yield node

    def edits(self, scope: Scope, site: ast.Assign | ast.AugAssign | ast.AnnAssign) -> Iterator[tuple[Edit, ...]]:
        """Take the statement out."""
        yield (removal(scope, site),)
