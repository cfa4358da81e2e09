"""A comparison takes in its boundary, or leaves it out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import comparison_tokens

BOUNDARY: dict[type[ast.cmpop], str] = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}


class ComparisonBoundary(Operator[ast.Compare]):
    """The classic off-by-one: `<` and `<=`, `>` and `>=`."""

    name = "comparison_boundary"
    sentence = "a comparison treats its boundary differently"
    needs = frozenset({"comparison"})
    valid = (
        Example.of("def f(a, b): return a < b", "def f(a, b): return a <= b"),
        Example.of("def f(a): return (0)<=(a) < 9", "def f(a): return (0)<(a) < 9", "def f(a): return (0)<=(a) <= 9"),
    )
    invalid = (
        "def f(a, b): return a == b",
        "def f(a, b): return a in b",
        "def f():\n    if sys.version_info >= (3, 9): g()",
    )

    def sites(self, scope: Scope) -> Iterator[ast.Compare]:
        """Comparisons of size."""
        for node in scope.find(ast.Compare):
            if any(type(op) in BOUNDARY for op in node.ops):
                yield node

    def edits(self, scope: Scope, site: ast.Compare) -> Iterator[tuple[Edit, ...]]:
        """Move each boundary of the chain."""
        for op, start, end in comparison_tokens(scope, site):
            if type(op) in BOUNDARY:
                yield (Edit(start, end, BOUNDARY[type(op)]),)
