"""Unpacked values land in each other's variables."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator, replace


class UnpackSwap(Operator[ast.Tuple]):
    """Two neighbours on the left side of an assignment or in the head of a loop."""

    name = "unpack_swap"
    sentence = "unpacked values land in each other's variables"
    needs = frozenset()
    likelihood = 0.2
    valid = (
        Example.of("def f(a):\n    b, c = a\n    return b\n", "def f(a):\n    c, b = a\n    return b\n"),
        Example.of("def f(a):\n    for b, (c) in a: g(c)\n", "def f(a):\n    for c, (b) in a: g(c)\n"),
        Example.of("def f(a): return [b for b, c in a]", "def f(a): return [b for c, b in a]"),
    )
    invalid = ("def f(a):\n    b, *c = a\n", "def f(a):\n    b = 1, a\n", "def f(a):\n    a, b = b, a\n")

    def sites(self, scope: Scope) -> Iterator[ast.Tuple]:
        """Targets that unpack."""
        for node in scope.find(ast.Assign):
            if not isinstance(node.value, ast.Tuple):
                yield from (each for each in node.targets if isinstance(each, ast.Tuple))
        targets = [each.target for each in scope.find(ast.For)]
        targets += [each.target for each in scope.find(ast.AsyncFor)]
        targets += [each.target for each in scope.find(ast.comprehension)]
        yield from (each for each in targets if isinstance(each, ast.Tuple))

    def edits(self, scope: Scope, site: ast.Tuple) -> Iterator[tuple[Edit, ...]]:
        """Exchange each pair of neighbours."""
        for one, two in zip(site.elts, site.elts[1:], strict=False):
            if not isinstance(one, ast.Starred) and not isinstance(two, ast.Starred):
                yield replace(scope, one, scope.file.text(two)), replace(scope, two, scope.file.text(one))
