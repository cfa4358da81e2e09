"""Values that are returned together change places."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator, replace


class ReturnSwap(Operator[ast.Tuple]):
    """Two neighbours of a returned or yielded tuple."""

    name = "return_swap"
    sentence = "values that are returned together changed places"
    needs = frozenset({"return"})
    likelihood = 0.25
    valid = (
        Example.of("def f(a, b): return a, b", "def f(a, b): return b, a"),
        Example.of("def f(a, b): return (a, b, 1)", "def f(a, b): return (b, a, 1)", "def f(a, b): return (a, 1, b)"),
    )
    invalid = ("def f(a): return a, a", "def f(a): return a, *a", "def f(a): return [a, 1]")

    def sites(self, scope: Scope) -> Iterator[ast.Tuple]:
        """Returned tuples."""
        for node in scope.find(ast.Return):
            if isinstance(node.value, ast.Tuple):
                yield node.value

    def edits(self, scope: Scope, site: ast.Tuple) -> Iterator[tuple[Edit, ...]]:
        """Exchange each pair of neighbours."""
        for one, two in zip(site.elts, site.elts[1:], strict=False):
            if not isinstance(one, ast.Starred) and not isinstance(two, ast.Starred):
                yield replace(scope, one, scope.file.text(two)), replace(scope, two, scope.file.text(one))
