"""A chain of binary operations loses one part."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import operand_texts


class OpBreakChains(Operator[ast.BinOp]):
    """The part that goes is the last one or the one before it."""

    name = "op_break_chains"
    sentence = "a part of a chain of operations was left out"
    kinds = ANY
    needs = frozenset({"binary_op"})
    complexity = (3, None)
    likelihood = 0.4
    valid = (
        Example.of("def f(a, b, c): return a + b - c", "def f(a, b, c): return a + b", "def f(a, b, c): return a - c"),
        Example.of(
            "def f(a, b, c): return (a + b) * c", "def f(a, b, c): return (a + b)", "def f(a, b, c): return a * c"
        ),
    )
    invalid = ("def f(a, b): return a + b",)

    def sites(self, scope: Scope) -> Iterator[ast.BinOp]:
        """Operations whose left side is an operation too."""
        for node in scope.find(ast.BinOp):
            if isinstance(node.left, ast.BinOp):
                yield node

    def edits(self, scope: Scope, site: ast.BinOp) -> Iterator[tuple[Edit, ...]]:
        """Keep the left side alone, or the left side's left with the right side."""
        outer = operand_texts(scope, site)
        inner = operand_texts(scope, site.left) if isinstance(site.left, ast.BinOp) else None
        if outer and inner:
            start = scope.file.start(site)
            yield (Edit(start + len(outer[0]), scope.file.end(site), ""),)
            yield (Edit(start, start + len(outer[0]), inner[0]),)
