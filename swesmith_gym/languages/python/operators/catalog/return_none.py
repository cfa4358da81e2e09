"""A function returns None in place of a value."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator, replace


class ReturnNone(Operator[ast.Return]):
    """The value is not even computed."""

    name = "return_none"
    sentence = "a return value was replaced by None"
    needs = frozenset({"return"})
    valid = (
        Example.of("def f(a): return g(a)", "def f(a): return None"),
        Example.of("async def f(a):\n    return (a,\n            1)\n", "async def f(a):\n    return None\n"),
    )
    invalid = ("def f(a): return None", "def f(a): return", "def f(a): return lambda: a")

    def sites(self, scope: Scope) -> Iterator[ast.Return]:
        """Returns of a value."""
        for node in scope.find(ast.Return):
            if node.value and not isinstance(node.value, ast.Lambda):
                yield node

    def edits(self, scope: Scope, site: ast.Return) -> Iterator[tuple[Edit, ...]]:
        """Return None."""
        yield (replace(scope, site, "return None"),)
