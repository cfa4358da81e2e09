"""An `await` is left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator


class AwaitRemove(Operator[ast.Await]):
    """The coroutine is made and never run, or handed on in place of its result."""

    name = "await_remove"
    sentence = "an `await` was left out"
    needs = frozenset({"await"})
    likelihood = 0.2
    valid = (
        Example.of(
            "async def f(a): return (await a.g()).b + await h()",
            "async def f(a): return (a.g()).b + await h()",
            "async def f(a): return (await a.g()).b + h()",
        ),
    )
    invalid = ("async def f(a): return a.g()",)

    def sites(self, scope: Scope) -> Iterator[ast.Await]:
        """Awaited expressions."""
        yield from scope.find(ast.Await)

    def edits(self, scope: Scope, site: ast.Await) -> Iterator[tuple[Edit, ...]]:
        """Take the word out."""
        start = scope.file.start(site)
        rest = scope.file.source[start + len("await") : scope.file.end(site)]
        yield (Edit(start, start + len("await") + len(rest) - len(rest.lstrip()), ""),)
