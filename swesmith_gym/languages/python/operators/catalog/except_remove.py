"""A handler no longer handles."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import block_span, own_lines


class ExceptRemove(Operator[ast.ExceptHandler]):
    """One of several goes; the only one raises again what it caught."""

    name = "except_remove"
    sentence = "an exception is no longer handled"
    needs = frozenset({"except"})
    likelihood = 0.2
    valid = (
        Example.of(
            "def f(a):\n    try:\n        g()\n    except A:\n        h()\n    except B:\n        return 1\n",
            "def f(a):\n    try:\n        g()\n    except B:\n        return 1\n",
            "def f(a):\n    try:\n        g()\n    except A:\n        h()\n",
        ),
        Example.of("def f(a):\n    try: g()\n    except A: h()\n", "def f(a):\n    try: g()\n    except A: raise\n"),
    )
    invalid = ("def f(a):\n    try: g()\n    except A: raise\n",)

    def sites(self, scope: Scope) -> Iterator[ast.ExceptHandler]:
        """Handlers that do more than raise again."""
        for node in scope.find(ast.ExceptHandler):
            first = node.body[0]
            if not (isinstance(first, ast.Raise) and first.exc is None):
                yield node

    def edits(self, scope: Scope, site: ast.ExceptHandler) -> Iterator[tuple[Edit, ...]]:
        """Take it out, or make it raise."""
        parent = scope.parents[site]
        assert isinstance(parent, (ast.Try, ast.TryStar))
        lines = own_lines(scope, site)
        if len(parent.handlers) > 1 and lines:
            yield (Edit(*lines, ""),)
        else:
            yield (Edit(*block_span(scope, site.body), "raise"),)
