"""A test for identity is negated."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import comparison_tokens


class IdentityFlip(Operator[ast.Compare]):
    """`is` becomes `is not`, and back."""

    name = "identity_flip"
    sentence = "a test for identity was negated"
    needs = frozenset({"comparison"})
    valid = (
        Example.of("def f(a): return a is None", "def f(a): return a is not None"),
        Example.of("def f(a, b): return a is not b", "def f(a, b): return a is b"),
    )
    invalid = ("def f(a): return a == None",)

    def sites(self, scope: Scope) -> Iterator[ast.Compare]:
        """Comparisons with `is` or `is not`."""
        for node in scope.find(ast.Compare):
            if any(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
                yield node

    def edits(self, scope: Scope, site: ast.Compare) -> Iterator[tuple[Edit, ...]]:
        """Negate each."""
        for op, start, end in comparison_tokens(scope, site):
            if isinstance(op, (ast.Is, ast.IsNot)):
                yield (Edit(start, end, "is not" if isinstance(op, ast.Is) else "is"),)
