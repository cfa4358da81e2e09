"""A guard at the beginning of a block is left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import LEAVES, removal


class GuardRemove(Operator[ast.If]):
    """An `if` without `else` that only leaves: by `return`, `raise`, `continue` or `break`."""

    name = "guard_remove"
    sentence = "an early exit was left out"
    needs = frozenset({"if"})
    likelihood = 0.25
    valid = (
        Example.of(
            "def f(a):\n    if not a:\n        return 1  # c\n    return g(a)\n", "def f(a):\n    return g(a)\n"
        ),
        Example.of(
            "def f(a):\n    for b in a:\n        if b: continue\n        g(b)\n",
            "def f(a):\n    for b in a:\n        g(b)\n",
        ),
    )
    invalid = (
        "def f(a):\n    if a:\n        return 1\n    else:\n        return 2\n",
        "def f(a):\n    g()\n    if a: return 1\n",
    )

    def sites(self, scope: Scope) -> Iterator[ast.If]:
        """Guards with something behind them."""
        for node in scope.find(ast.If):
            if node.orelse or scope.is_elif(node) or len(node.body) > 1 or not isinstance(node.body[0], LEAVES):
                continue
            if scope.block(node)[-1] is not node:
                yield node

    def edits(self, scope: Scope, site: ast.If) -> Iterator[tuple[Edit, ...]]:
        """Take it out."""
        yield (removal(scope, site),)
