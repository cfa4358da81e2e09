"""A slice begins or ends somewhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator, replace
from swesmith_gym.languages.python.operators.text import bracketed


class SliceBounds(Operator[ast.Slice]):
    """A bound moves by one, appears, or is left out."""

    name = "slice_bounds"
    sentence = "the bounds of a slice were changed"
    kinds = ANY
    needs = frozenset({"slice"})
    likelihood = 0.25
    valid = (
        Example.of(
            "def f(a): return a[1:]", "def f(a): return a[2:]", "def f(a): return a[0:]", "def f(a): return a[:]"
        ),
        Example.of(
            "def f(a, b): return a[:b]",
            "def f(a, b): return a[1:b]",
            "def f(a, b): return a[:b - 1]",
            "def f(a, b): return a[:]",
        ),
        Example.of(
            "def f(a): return a[:-1]", "def f(a): return a[1:-1]", "def f(a): return a[:-2]", "def f(a): return a[:]"
        ),
        Example.of(
            "def f(a, b): return a[b or 1 :]", "def f(a, b): return a[(b or 1) + 1 :]", "def f(a, b): return a[ :]"
        ),
    )
    invalid = ("def f(a): return a[1]",)

    def sites(self, scope: Scope) -> Iterator[ast.Slice]:
        """Slices."""
        yield from scope.find(ast.Slice)

    def edits(self, scope: Scope, site: ast.Slice) -> Iterator[tuple[Edit, ...]]:
        """Move, add and drop each bound."""
        if site.lower:
            for text in self._lower(scope, site.lower):
                yield (replace(scope, site.lower, text),)
        elif site.upper:
            start = scope.file.start(site.upper)
            colon = scope.file.source.rfind(":", 0, start)
            yield (Edit(colon, colon, "1"),)
        if site.upper:
            yield (replace(scope, site.upper, self._less(scope, site.upper)),)
            yield (replace(scope, site.upper, ""),)

    def _lower(self, scope: Scope, node: ast.expr) -> Iterator[str]:
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            yield str(node.value + 1)
            if node.value:
                yield str(node.value - 1)
        else:
            yield f"{bracketed(scope, node)} + 1"
        if not (isinstance(node, ast.Constant) and node.value == 0):
            yield ""

    def _less(self, scope: Scope, node: ast.expr) -> str:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            inner = node.operand.value
            if isinstance(inner, int):
                return str(-inner - 1)
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return str(node.value - 1) if node.value else "1"
        return f"{bracketed(scope, node)} - 1"
