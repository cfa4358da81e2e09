"""A comparison becomes another one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import comparison_tokens

OTHER: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Lt: (">", ">="),
    ast.LtE: (">", ">="),
    ast.Gt: ("<", "<="),
    ast.GtE: ("<", "<="),
}


class ComparisonChange(Operator[ast.Compare]):
    """Equality is negated, an order is turned round or negated."""

    name = "comparison_change"
    sentence = "a comparison was replaced by another one"
    needs = frozenset({"comparison"})
    valid = (
        Example.of("def f(a, b): return a == b", "def f(a, b): return a != b"),
        Example.of("def f(a, b): return a < b", "def f(a, b): return a > b", "def f(a, b): return a >= b"),
    )
    invalid = ("def f(a, b): return a is b", "def f(a, b): return a not in b")

    def sites(self, scope: Scope) -> Iterator[ast.Compare]:
        """Comparisons of size and equality."""
        for node in scope.find(ast.Compare):
            if any(type(op) in OTHER for op in node.ops):
                yield node

    def edits(self, scope: Scope, site: ast.Compare) -> Iterator[tuple[Edit, ...]]:
        """Replace each operator of the chain."""
        for op, start, end in comparison_tokens(scope, site):
            for text in OTHER.get(type(op), ()):
                yield (Edit(start, end, text),)
