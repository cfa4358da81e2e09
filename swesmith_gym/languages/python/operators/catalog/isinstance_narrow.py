"""A type check accepts one type less."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import argument_removal, is_named


class IsinstanceNarrow(Operator[ast.Tuple]):
    """Where several are named."""

    name = "isinstance_narrow"
    sentence = "a type check accepts one type less"
    needs = frozenset({"call"})
    likelihood = 0.3
    valid = (
        Example.of(
            "def f(a): return isinstance(a, (int, str))",
            "def f(a): return isinstance(a, (str))",
            "def f(a): return isinstance(a, (int))",
        ),
    )
    invalid = ("def f(a): return isinstance(a, int)", "def f(a): return g(a, (int, str))")

    def sites(self, scope: Scope) -> Iterator[ast.Tuple]:
        """Tuples of types."""
        for node in scope.find(ast.Call):
            if is_named(node.func, "isinstance", "issubclass") and len(node.args) == 2:
                kinds = node.args[1]
                if isinstance(kinds, ast.Tuple) and len(kinds.elts) > 1:
                    yield kinds

    def edits(self, scope: Scope, site: ast.Tuple) -> Iterator[tuple[Edit, ...]]:
        """Leave each out."""
        for at in range(len(site.elts)):
            yield argument_removal(scope, site.elts, at)
