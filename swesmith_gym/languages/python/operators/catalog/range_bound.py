"""A range begins or ends one off."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator, replace
from swesmith_gym.languages.python.operators.text import bracketed, is_named


class RangeBound(Operator[ast.Call]):
    """One more, one less, or begun at one."""

    name = "range_bound"
    sentence = "a range begins or ends one off"
    needs = frozenset({"call"})
    likelihood = 0.3
    valid = (
        Example.of(
            "def f(a): return range(a)",
            "def f(a): return range(a - 1)",
            "def f(a): return range(a + 1)",
            "def f(a): return range(1, a)",
        ),
        Example.of(
            "def f(a, b): return range(a or 1, b)",
            "def f(a, b): return range((a or 1) + 1, b)",
            "def f(a, b): return range(a or 1, b - 1)",
            "def f(a, b): return range(a or 1, b + 1)",
        ),
    )
    invalid = ("def f(a): return range(*a)", "def f(a): return a.range(1)")

    def sites(self, scope: Scope) -> Iterator[ast.Call]:
        """Calls of `range` with plain arguments."""
        for node in scope.find(ast.Call):
            if (
                is_named(node.func, "range")
                and node.args
                and not any(isinstance(each, ast.Starred) for each in node.args)
            ):
                yield node

    def edits(self, scope: Scope, site: ast.Call) -> Iterator[tuple[Edit, ...]]:
        """Move each bound."""
        if len(site.args) == 1:
            start = scope.file.start(site.args[0])
            yield (Edit(start, start, "1, "),)
        else:
            yield (replace(scope, site.args[0], f"{bracketed(scope, site.args[0])} + 1"),)
        stop = site.args[min(1, len(site.args) - 1)]
        text = bracketed(scope, stop)
        yield (replace(scope, stop, f"{text} - 1"),)
        yield (replace(scope, stop, f"{text} + 1"),)
