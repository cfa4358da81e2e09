"""Counting begins with another number."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import argument_removal, arguments, is_named


class EnumerateStart(Operator[ast.Call]):
    """`enumerate` from one in place of zero, or from zero in place of what was asked for."""

    name = "enumerate_start"
    sentence = "counting begins with another number"
    needs = frozenset({"call"})
    likelihood = 0.3
    valid = (
        Example.of("def f(a): return enumerate(a)", "def f(a): return enumerate(a, 1)"),
        Example.of("def f(a): return enumerate(a, start=1)", "def f(a): return enumerate(a)"),
        Example.of("def f(a): return enumerate(a, 2)", "def f(a): return enumerate(a)"),
    )
    invalid = (
        "def f(a): return enumerate(*a)",
        "def f(a): return a.enumerate(1)",
        "def f(a): return enumerate(b for b in a)",
    )

    def sites(self, scope: Scope) -> Iterator[ast.Call]:
        """Calls of `enumerate`."""
        for node in scope.find(ast.Call):
            counts = is_named(node.func, "enumerate") and node.args
            if counts and not isinstance(node.args[0], (ast.Starred, ast.GeneratorExp)):
                yield node

    def edits(self, scope: Scope, site: ast.Call) -> Iterator[tuple[Edit, ...]]:
        """Add or take out the start."""
        items = arguments(site)
        if len(items) > 1:
            yield argument_removal(scope, items, 1)
        else:
            end = scope.file.end(site) - 1
            yield (Edit(end, end, ", 1"),)
