"""A function is confused with its sibling."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import called_name

PAIRS = (
    ("min", "max"),
    ("any", "all"),
    ("floor", "ceil"),
    ("sorted", "list"),
    ("frozenset", "tuple"),
    (".startswith", ".endswith"),
    (".lstrip", ".rstrip"),
    (".upper", ".lower"),
    (".find", ".rfind"),
    (".index", ".rindex"),
    (".partition", ".rpartition"),
    (".keys", ".values"),
    (".append", ".extend"),
    (".union", ".intersection"),
    (".issubset", ".issuperset"),
    (".removeprefix", ".removesuffix"),
    (".ljust", ".rjust"),
    (".isdigit", ".isalpha"),
    (".append", ".appendleft"),
    (".popleft", ".pop"),
    (".add", ".discard"),
    (".strip", ".rstrip"),
    (".strip", ".lstrip"),
    (".match", ".search"),
    (".fullmatch", ".match"),
    (".isupper", ".islower"),
    (".items", ".keys"),
)


class CallSibling(Operator[ast.Call]):
    """Well-known pairs of the standard library: `min` and `max`, `startswith` and `endswith`, and so on."""

    name = "call_sibling"
    sentence = "a function was confused with a similar one"
    kinds = ANY
    needs = frozenset({"call"})
    likelihood = 0.2
    valid = (
        Example.of("def f(a, b): return min(a, b)", "def f(a, b): return max(a, b)"),
        Example.of("def f(a): return a.b().startswith('x')", "def f(a): return a.b().endswith('x')"),
        Example.of("def f(a): return a.fullmatch(1)", "def f(a): return a.match(1)"),
    )
    invalid = ("def f(a): return a.min()", "def f(a): return startswith(a)", "def f(min): return min")

    def sites(self, scope: Scope) -> Iterator[ast.Call]:
        """Calls of one of a pair."""
        for node in scope.find(ast.Call):
            if next(self._siblings(node), None):
                yield node

    def _siblings(self, node: ast.Call) -> Iterator[str]:
        name = f".{node.func.attr}" if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for one, two in PAIRS:
            if name in {one, two}:
                yield (two if name == one else one).removeprefix(".")

    def edits(self, scope: Scope, site: ast.Call) -> Iterator[tuple[Edit, ...]]:
        """Call each sibling."""
        end = scope.file.end(site.func)
        for name in self._siblings(site):
            yield (Edit(end - len(called_name(site)), end, name),)
