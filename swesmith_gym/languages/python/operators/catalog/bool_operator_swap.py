"""`and` becomes `or`, and back."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import boolean_tokens


class BoolOperatorSwap(Operator[ast.BoolOp]):
    """One step of a chain at a time."""

    name = "bool_operator_swap"
    sentence = "`and` and `or` were exchanged"
    needs = frozenset({"bool_op"})
    valid = (
        Example.of("def f(a, b): return a and b", "def f(a, b): return a or b"),
        Example.of(
            "def f(a, b, c): return (a) or(b)or c",
            "def f(a, b, c): return (a) and(b)or c",
            "def f(a, b, c): return (a) or(b)and c",
        ),
    )
    invalid = ("def f(a, b): return a & b",)

    def sites(self, scope: Scope) -> Iterator[ast.BoolOp]:
        """Boolean operations."""
        yield from scope.find(ast.BoolOp)

    def edits(self, scope: Scope, site: ast.BoolOp) -> Iterator[tuple[Edit, ...]]:
        """Exchange each."""
        text = "or" if isinstance(site.op, ast.And) else "and"
        for start, end in boolean_tokens(scope, site):
            yield (Edit(start, end, text),)
