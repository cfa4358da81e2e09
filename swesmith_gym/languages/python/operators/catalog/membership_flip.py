"""A test for membership is negated."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import comparison_tokens


class MembershipFlip(Operator[ast.Compare]):
    """`in` becomes `not in`, and back."""

    name = "membership_flip"
    sentence = "a test for membership was negated"
    needs = frozenset({"comparison"})
    valid = (
        Example.of("def f(a, b): return a in b", "def f(a, b): return a not in b"),
        Example.of("def f(a, b): return (a) not  in (b)", "def f(a, b): return (a) in (b)"),
    )
    invalid = ("def f(a): return [b for b in a]",)

    def sites(self, scope: Scope) -> Iterator[ast.Compare]:
        """Comparisons with `in` or `not in`."""
        for node in scope.find(ast.Compare):
            if any(isinstance(op, (ast.In, ast.NotIn)) for op in node.ops):
                yield node

    def edits(self, scope: Scope, site: ast.Compare) -> Iterator[tuple[Edit, ...]]:
        """Negate each."""
        for op, start, end in comparison_tokens(scope, site):
            if isinstance(op, (ast.In, ast.NotIn)):
                yield (Edit(start, end, "not in" if isinstance(op, ast.In) else "in"),)
