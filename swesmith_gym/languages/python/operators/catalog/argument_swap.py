"""Two arguments of a call change places."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator, replace
from swesmith_gym.languages.python.operators.text import called_name

UNORDERED = frozenset(
    {"isinstance", "issubclass", "hasattr", "min", "max", "print", "union", "gcd", "isclose", "setattr", "getattr"}
)


class ArgumentSwap(Operator[ast.Call]):
    """Two neighbours that are given by position."""

    name = "argument_swap"
    sentence = "two arguments of a call changed places"
    kinds = ANY
    needs = frozenset({"call"})
    valid = (
        Example.of("def f(a, b): return g(a, b)", "def f(a, b): return g(b, a)"),
        Example.of("def f(a, b): return g((a), b + 1, c=1)", "def f(a, b): return g((b + 1), a, c=1)"),
    )
    invalid = ("def f(a): return g(a, a)", "def f(a, b): return max(a, b)", "def f(a, b): return g(a, *b)")

    def sites(self, scope: Scope) -> Iterator[ast.Call]:
        """Calls with two or more arguments by position, where order matters."""
        for node in scope.find(ast.Call):
            if len(node.args) > 1 and called_name(node) not in UNORDERED:
                yield node

    def edits(self, scope: Scope, site: ast.Call) -> Iterator[tuple[Edit, ...]]:
        """Exchange each pair of neighbours."""
        for one, two in zip(site.args, site.args[1:], strict=False):
            if not isinstance(one, ast.Starred) and not isinstance(two, ast.Starred):
                yield replace(scope, one, scope.file.text(two)), replace(scope, two, scope.file.text(one))
