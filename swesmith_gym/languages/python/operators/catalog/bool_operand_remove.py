"""A condition loses one of its parts."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import boolean_tokens


class BoolOperandRemove(Operator[ast.BoolOp]):
    """Each part of a chain of `and` or `or` can go."""

    name = "bool_operand_remove"
    sentence = "a part of a condition was left out"
    needs = frozenset({"bool_op"})
    valid = (
        Example.of("def f(a, b): return a and not b", "def f(a, b): return a", "def f(a, b): return not b"),
        Example.of(
            "def f(a, b, c): return g((a) or b or (c))",
            "def f(a, b, c): return g(b or (c))",
            "def f(a, b, c): return g((a) or (c))",
            "def f(a, b, c): return g((a) or b)",
        ),
    )
    invalid = ("def f(a): return not a",)

    def sites(self, scope: Scope) -> Iterator[ast.BoolOp]:
        """Boolean operations."""
        yield from scope.find(ast.BoolOp)

    def edits(self, scope: Scope, site: ast.BoolOp) -> Iterator[tuple[Edit, ...]]:
        """Leave out each part."""
        tokens = list(boolean_tokens(scope, site))
        if len(tokens) != len(site.values) - 1:
            return
        source, last = scope.file.source, scope.file.end(site)
        behind = source[tokens[0][1] : last]
        yield (Edit(scope.file.start(site), last - len(behind.lstrip()), ""),)
        for (start, _), (following, _) in pairwise(tokens):
            yield (Edit(start, following, ""),)
        start = scope.file.start(site)
        yield (Edit(start + len(source[start : tokens[-1][0]].rstrip()), last, ""),)
