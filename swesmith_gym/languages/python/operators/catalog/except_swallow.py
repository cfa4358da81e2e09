"""A handler does nothing any more."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import block_span


class ExceptSwallow(Operator[ast.ExceptHandler]):
    """The error is caught and forgotten."""

    name = "except_swallow"
    sentence = "an exception is caught and forgotten"
    needs = frozenset({"except"})
    likelihood = 0.2
    valid = (
        Example.of(
            "def f(a):\n    try: g()\n    except A as e:\n        h(e)  # c\n        raise B from e\n",
            "def f(a):\n    try: g()\n    except A as e:\n        pass\n",
        ),
    )
    invalid = ("def f(a):\n    try: g()\n    except A: pass\n",)

    def sites(self, scope: Scope) -> Iterator[ast.ExceptHandler]:
        """Handlers."""
        yield from scope.find(ast.ExceptHandler)

    def edits(self, scope: Scope, site: ast.ExceptHandler) -> Iterator[tuple[Edit, ...]]:
        """Put `pass` in its body's place."""
        yield (Edit(*block_span(scope, site.body), "pass"),)
