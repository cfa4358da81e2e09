"""A `not` is left out of an expression."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator, replace
from swesmith_gym.languages.python.operators.text import negated


class NotRemove(Operator[ast.UnaryOp]):
    """Anywhere but at the head of an `if` or `while`, where `condition_negate` does it."""

    name = "not_remove"
    sentence = "a `not` was left out"
    needs = frozenset({"not"})
    likelihood = 0.2
    valid = (
        Example.of("def f(a, b): return a and not b", "def f(a, b): return a and b"),
        Example.of("def f(a): return not(a)", "def f(a): return (a)"),
    )
    invalid = ("def f(a):\n    if not a: g()\n", "def f(a): return -a")

    def sites(self, scope: Scope) -> Iterator[ast.UnaryOp]:
        """Negations inside of expressions."""
        for node in scope.find(ast.UnaryOp):
            if isinstance(node.op, ast.Not) and not isinstance(scope.parents[node], (ast.If, ast.While)):
                yield node

    def edits(self, scope: Scope, site: ast.UnaryOp) -> Iterator[tuple[Edit, ...]]:
        """Take it away."""
        yield (replace(scope, site, negated(scope, site)),)
