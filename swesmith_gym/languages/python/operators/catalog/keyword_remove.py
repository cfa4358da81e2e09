"""A call loses a keyword argument."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import argument_removal, arguments


class KeywordRemove(Operator[tuple[ast.Call, ast.keyword]]):
    """What is called then uses its default, or raises."""

    name = "keyword_remove"
    sentence = "a keyword argument was left out"
    kinds = ANY
    needs = frozenset({"keyword"})
    valid = (
        Example.of("def f(a): return g(a, b=1, c=2)", "def f(a): return g(a, c=2)", "def f(a): return g(a, b=1)"),
        Example.of("def f(a): return g(b=(1))", "def f(a): return g()"),
        Example.of(
            "def f(a): return g(\n    b=1,\n    c=2,\n)\n",
            "def f(a): return g(\n    c=2,\n)\n",
            "def f(a): return g(\n    b=1,\n)\n",
        ),
    )
    invalid = ("def f(a): return g(a, **a)",)

    def sites(self, scope: Scope) -> Iterator[tuple[ast.Call, ast.keyword]]:
        """Keyword arguments, those that are unpacked aside."""
        for node in scope.find(ast.Call):
            for each in node.keywords:
                if each.arg:
                    yield node, each

    def edits(self, scope: Scope, site: tuple[ast.Call, ast.keyword]) -> Iterator[tuple[Edit, ...]]:
        """Leave it out."""
        items = arguments(site[0])
        yield argument_removal(scope, items, items.index(site[1]))
