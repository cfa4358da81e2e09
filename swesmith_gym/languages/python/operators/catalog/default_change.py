"""A parameter gets another default value."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator, replace


class DefaultChange(Operator[ast.expr]):
    """A near miss of the same type, or None for what is not a plain literal."""

    name = "default_change"
    sentence = "a default value was changed"
    needs = frozenset({"default"})
    likelihood = 0.2
    valid = (
        Example.of("def f(a=True): return a", "def f(a=False): return a"),
        Example.of(
            "def f(a, b=1, *, c=''): return a",
            "def f(a, b=2, *, c=''): return a",
            "def f(a, b=0, *, c=''): return a",
            "def f(a, b=1, *, c=None): return a",
        ),
        Example.of("def f(a: int | None = None): return a", "def f(a: int | None = False): return a"),
        Example.of("def f(a=(1, 2)): return a", "def f(a=None): return a"),
    )
    invalid = ("def f(a: int): return a", "def f(a=...): return a", "@overload\ndef f(a=1): ...")

    def sites(self, scope: Scope) -> Iterator[ast.expr]:
        """Default values, those of overload stubs and `...` aside."""
        if isinstance(scope.node, ast.ClassDef) or not any(True for _ in scope.parents):
            return
        given = scope.node.args
        for each in (*given.defaults, *given.kw_defaults):
            if each and not isinstance(each, (ast.Lambda, ast.JoinedStr)):
                yield each

    def edits(self, scope: Scope, site: ast.expr) -> Iterator[tuple[Edit, ...]]:
        """Put each near miss."""
        for text in self._near(site):
            yield (replace(scope, site, text),)

    def _near(self, site: ast.expr) -> tuple[str, ...]:
        value = site.value if isinstance(site, ast.Constant) else site
        if isinstance(value, bool):
            return (str(not value),)
        if isinstance(value, int):
            return (str(value + 1), str(value - 1))
        if value is None:
            return ("False",)
        return () if value is ... else ("None",)
