"""A loop is left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import removal


class RemoveLoop(Operator[ast.For | ast.AsyncFor | ast.While]):
    """`for`, `async for` and `while`, with their `else`."""

    name = "remove_loop"
    sentence = "a loop was left out"
    needs = frozenset({"loop"})
    complexity = (3, None)
    likelihood = 0.25
    valid = (
        Example.of("def f(a):\n    for b in a:\n        g(b)\n    return a\n", "def f(a):\n    return a\n"),
        Example.of("async def f(a):\n    async for b in a:\n        g(b)\n", "async def f(a):\n    pass\n"),
    )
    invalid = ("def f(a): return [b for b in a]",)

    def sites(self, scope: Scope) -> Iterator[ast.For | ast.AsyncFor | ast.While]:
        """Loop statements."""
        yield from scope.find(ast.For)
        yield from scope.find(ast.AsyncFor)
        yield from scope.find(ast.While)

    def edits(self, scope: Scope, site: ast.For | ast.AsyncFor | ast.While) -> Iterator[tuple[Edit, ...]]:
        """Take the statement out."""
        yield (removal(scope, site),)
