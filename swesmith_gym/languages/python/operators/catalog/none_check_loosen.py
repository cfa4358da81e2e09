"""A test for None becomes a test for truth."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator, replace
from swesmith_gym.languages.python.operators.text import bracketed


class NoneCheckLoosen(Operator[ast.Compare]):
    """Zero, the empty text and empty containers then count as None. Only where a condition is asked for."""

    name = "none_check_loosen"
    sentence = "a test for None became a test for truth"
    needs = frozenset({"comparison"})
    valid = (
        Example.of("def f(a):\n    if a is None: g()\n", "def f(a):\n    if not a: g()\n"),
        Example.of("def f(a): return 1 if a.b is not None else 2", "def f(a): return 1 if a.b else 2"),
        Example.of("def f(a, b): return g(a, b) is None and b", "def f(a, b): return not g(a, b) and b"),
    )
    invalid = ("def f(a): return a is None", "def f(a):\n    if a is not b: g()\n")

    def sites(self, scope: Scope) -> Iterator[ast.Compare]:
        """`X is None` and `X is not None` that are conditions or parts of one."""
        for node in scope.find(ast.Compare):
            right = node.comparators[0]
            plain = len(node.ops) == 1 and isinstance(right, ast.Constant) and right.value is None
            if plain and isinstance(node.ops[0], (ast.Is, ast.IsNot)) and self._is_condition(scope, node):
                yield node

    def _is_condition(self, scope: Scope, node: ast.Compare) -> bool:
        parent = scope.parents[node]
        if isinstance(parent, (ast.If, ast.While, ast.IfExp)):
            return parent.test is node
        return isinstance(parent, ast.BoolOp)

    def edits(self, scope: Scope, site: ast.Compare) -> Iterator[tuple[Edit, ...]]:
        """Ask for truth."""
        text = bracketed(scope, site.left)
        yield (replace(scope, site, f"not {text}" if isinstance(site.ops[0], ast.Is) else text),)
