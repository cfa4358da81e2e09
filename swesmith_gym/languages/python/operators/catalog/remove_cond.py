"""An if statement is left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import own_lines, removal


class RemoveCond(Operator[ast.If]):
    """With all its branches; an `elif` that is the last branch goes alone."""

    name = "remove_cond"
    sentence = "a conditional statement was left out"
    needs = frozenset({"if"})
    complexity = (3, None)
    likelihood = 0.25
    valid = (
        Example.of(
            "def f(a):\n    if a:\n        a = 1\n    # c\n    return a\n", "def f(a):\n    # c\n    return a\n"
        ),
        Example.of(
            "def f(a):\n    if a:\n        g()\n    elif f:\n        h()\n",
            "def f(a):\n    if a:\n        g()\n",
            "def f(a):\n    pass\n",
        ),
    )
    invalid = ("def f(a):\n    if TYPE_CHECKING:\n        import b\n    return a\n",)

    def sites(self, scope: Scope) -> Iterator[ast.If]:
        """Whole statements, and `elif` branches with nothing behind them."""
        for node in scope.find(ast.If):
            if not scope.is_elif(node) or not node.orelse:
                yield node

    def edits(self, scope: Scope, site: ast.If) -> Iterator[tuple[Edit, ...]]:
        """Take the statement or the branch out."""
        if scope.is_elif(site):
            lines = own_lines(scope, site)
            if lines:
                yield (Edit(*lines, ""),)
        else:
            yield (removal(scope, site),)
