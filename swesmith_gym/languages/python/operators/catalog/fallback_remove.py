"""A look-up loses its fallback value."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import argument_removal, arguments, called_name, is_named


class FallbackRemove(Operator[ast.Call]):
    """`getattr`, `next` and `pop` then raise where they gave a value; `get` gives None."""

    name = "fallback_remove"
    sentence = "the fallback of a look-up was left out"
    kinds = ANY
    needs = frozenset({"call"})
    likelihood = 0.2
    valid = (
        Example.of("def f(a, b): return a.get(b, 0)", "def f(a, b): return a.get(b)"),
        Example.of("def f(a): return getattr(a, 'b', ())", "def f(a): return getattr(a, 'b')"),
    )
    invalid = ("def f(a, b): return a.get(b)", "def f(a): return getattr(a, 'b')", "def f(a, b): return a.get(b, None)")

    def sites(self, scope: Scope) -> Iterator[ast.Call]:
        """Calls that give a fallback by position."""
        for node in scope.find(ast.Call):
            count = 3 if is_named(node.func, "getattr") else 2
            known = called_name(node) in {"get", "pop"} and isinstance(node.func, ast.Attribute)
            if len(node.args) == count and not node.keywords and (known or is_named(node.func, "getattr", "next")):
                last = node.args[-1]
                if not (called_name(node) == "get" and isinstance(last, ast.Constant) and last.value is None):
                    yield node

    def edits(self, scope: Scope, site: ast.Call) -> Iterator[tuple[Edit, ...]]:
        """Leave out the last argument."""
        yield argument_removal(scope, arguments(site), len(site.args) - 1)
