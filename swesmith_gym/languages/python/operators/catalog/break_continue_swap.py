"""`break` becomes `continue`, and back."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator, replace


class BreakContinueSwap(Operator[ast.Break | ast.Continue]):
    """`break` stays at the end of an endless loop's only way out: there `continue` would only hang."""

    name = "break_continue_swap"
    sentence = "`break` and `continue` were exchanged"
    needs = frozenset({"loop"})
    likelihood = 0.25
    valid = (
        Example.of(
            "def f(a):\n    for b in a:\n        if b: break\n        g(b)\n",
            "def f(a):\n    for b in a:\n        if b: continue\n        g(b)\n",
        ),
        Example.of(
            "def f(a):\n    while g():\n        if a: continue\n        h()\n",
            "def f(a):\n    while g():\n        if a: break\n        h()\n",
        ),
    )
    invalid = ("def f(a):\n    while True:\n        if g(): break\n",)

    def sites(self, scope: Scope) -> Iterator[ast.Break | ast.Continue]:
        """Both, a `break` of an endless loop aside."""
        yield from scope.find(ast.Continue)
        for node in scope.find(ast.Break):
            loop = next(each for each in scope.ancestors(node) if isinstance(each, (ast.For, ast.AsyncFor, ast.While)))
            if not (isinstance(loop, ast.While) and isinstance(loop.test, ast.Constant)):
                yield node

    def edits(self, scope: Scope, site: ast.Break | ast.Continue) -> Iterator[tuple[Edit, ...]]:
        """Exchange it."""
        yield (replace(scope, site, "continue" if isinstance(site, ast.Break) else "break"),)
