"""A call that is a statement of its own is left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import called_name, removal

QUIET = frozenset({"debug", "info", "warning", "warn", "error", "exception", "log", "print"})


class CallRemove(Operator[ast.Expr]):
    """Its effect does not happen. Logging, printing and warnings are left alone."""

    name = "call_remove"
    sentence = "a call was left out"
    needs = frozenset({"call"})
    valid = (
        Example.of("def f(a):\n    a.sort()\n    return a\n", "def f(a):\n    return a\n"),
        Example.of("async def f(a):\n    if a: await g()\n", "async def f(a):\n    if a: pass\n"),
    )
    invalid = ("def f(a):\n    log.debug(a)\n", "def f(a):\n    yield a\n", "def f(a):\n    b = g()\n")

    def sites(self, scope: Scope) -> Iterator[ast.Expr]:
        """Statements that only call something."""
        for node in scope.find(ast.Expr):
            value = node.value.value if isinstance(node.value, ast.Await) else node.value
            if isinstance(value, ast.Call) and called_name(value) not in QUIET:
                yield node

    def edits(self, scope: Scope, site: ast.Expr) -> Iterator[tuple[Edit, ...]]:
        """Take it out."""
        yield (removal(scope, site),)
