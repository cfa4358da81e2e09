"""The two values of a conditional expression change places."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator, replace
from swesmith_gym.languages.python.operators.text import bracketed


class TernarySwap(Operator[ast.IfExp]):
    """The condition stays."""

    name = "ternary_swap"
    sentence = "the values of a conditional expression changed places"
    kinds = ANY
    needs = frozenset({"ternary"})
    likelihood = 0.25
    valid = (
        Example.of("def f(a, b): return a if b else 1", "def f(a, b): return 1 if b else a"),
        Example.of("def f(a, b): return g((a if b else (1)))", "def f(a, b): return g((1 if b else (a)))"),
    )
    invalid = ("def f(a, b): return a if b else a",)

    def sites(self, scope: Scope) -> Iterator[ast.IfExp]:
        """Conditional expressions."""
        yield from scope.find(ast.IfExp)

    def edits(self, scope: Scope, site: ast.IfExp) -> Iterator[tuple[Edit, ...]]:
        """Exchange the values."""
        other = (
            bracketed(scope, site.orelse)
            if isinstance(site.orelse, (ast.IfExp, ast.Lambda))
            else scope.file.text(site.orelse)
        )
        yield replace(scope, site.body, other), replace(scope, site.orelse, scope.file.text(site.body))
