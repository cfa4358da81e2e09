"""An index is off by one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator, replace
from swesmith_gym.languages.python.operators.text import operand_texts

INDEX_NAME = re.compile(r"(?:[ijkn]|.*(?:idx|index|pos|position|offset|start|end))")


class IndexShift(Operator[ast.expr]):
    """Whole numbers, names that are usual for an index, and sums with a number."""

    name = "index_shift"
    sentence = "an index is off by one"
    kinds = ANY
    needs = frozenset({"subscript"})
    likelihood = 0.2
    valid = (
        Example.of("def f(a): return a[0]", "def f(a): return a[1]"),
        Example.of("def f(a): return a[-1]", "def f(a): return a[-2]", "def f(a): return a[0]"),
        Example.of("def f(a, i): return a[i]", "def f(a, i): return a[i + 1]", "def f(a, i): return a[i - 1]"),
        Example.of("def f(a, b): return a[b + 1]", "def f(a, b): return a[b]"),
    )
    invalid = ("def f(a): return a['k']", "def f(a, key): return a[key]", "def f(a: tuple[0]): return a[1:]")

    def sites(self, scope: Scope) -> Iterator[ast.expr]:
        """Indices that are certainly or very likely numbers."""
        for node in scope.find(ast.Subscript):
            index = node.slice
            inner = index.operand if isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub) else index
            number = isinstance(inner, ast.Constant) and type(inner.value) is int
            name = isinstance(index, ast.Name) and INDEX_NAME.fullmatch(index.id)
            if number or name or (isinstance(index, ast.BinOp) and self._is_step(index)):
                yield index

    def _is_step(self, node: ast.BinOp) -> bool:
        return (
            isinstance(node.op, (ast.Add, ast.Sub)) and isinstance(node.right, ast.Constant) and node.right.value == 1
        )

    def edits(self, scope: Scope, site: ast.expr) -> Iterator[tuple[Edit, ...]]:
        """One further, one back."""
        if isinstance(site, ast.BinOp):
            texts = operand_texts(scope, site)
            if texts:
                yield (replace(scope, site, texts[0]),)
        elif isinstance(site, ast.Name):
            yield (replace(scope, site, f"{site.id} + 1"),)
            yield (replace(scope, site, f"{site.id} - 1"),)
        else:
            value = ast.literal_eval(site)
            for changed in (value - 1, value + 1):
                if (changed < 0) == (value < 0) or value < 0:
                    yield (replace(scope, site, str(changed)),)
