"""The operands of a binary operation change places."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator, replace
from swesmith_gym.languages.python.operators.text import (
    BINARY,
    binary_token,
    bracketed,
    is_named,
    is_number,
    is_text,
    operand_texts,
)

ORDERED = frozenset({"-", "/", "//", "%", "**", "<<", ">>", "@", "+"})


class OpSwap(Operator[ast.BinOp]):
    """Only where order matters: sums with a number in them and other commutative operations are left alone."""

    name = "op_swap"
    sentence = "the operands of a binary operation changed places"
    kinds = ANY
    needs = frozenset({"binary_op"})
    complexity = (3, None)
    likelihood = 0.4
    valid = (
        Example.of("def f(a, b): return a - b", "def f(a, b): return b - a"),
        Example.of(
            "def f(a, b, c): return (a + b) / c",
            "def f(a, b, c): return c / (a + b)",
            "def f(a, b, c): return (b + a) / c",
        ),
        Example.of("def f(a, b, c): return a * b - c", "def f(a, b, c): return c - (a * b)"),
    )
    invalid = (
        "def f(a): return a + 1",
        "def f(a, b): return a + len(b)",
        "def f(a, b): return a * b",
        "def f(a): return a - a",
        "def f(a): return '%s' % a",
    )

    def sites(self, scope: Scope) -> Iterator[ast.BinOp]:
        """Operations whose operands are not interchangeable."""
        for node in scope.find(ast.BinOp):
            if BINARY[type(node.op)] not in ORDERED or (isinstance(node.op, ast.Mod) and is_text(node.left)):
                continue
            if isinstance(node.op, ast.Add) and (_is_numeric(node.left) or _is_numeric(node.right)):
                continue
            yield node

    def edits(self, scope: Scope, site: ast.BinOp) -> Iterator[tuple[Edit, ...]]:
        """Exchange the operands' texts."""
        texts = operand_texts(scope, site)
        token = binary_token(scope, site)
        if not texts or not token:
            return
        left = texts[0] if texts[0] != scope.file.text(site.left) else bracketed(scope, site.left)
        right = texts[1] if texts[1] != scope.file.text(site.right) else bracketed(scope, site.right)
        middle = scope.file.source[scope.file.start(site) + len(texts[0]) : scope.file.end(site) - len(texts[1])]
        yield (replace(scope, site, right + middle + left),)


def _is_numeric(node: ast.expr) -> bool:
    """Certainly or very likely a number, so that a sum does not depend on the order."""
    counts = isinstance(node, ast.Call) and is_named(node.func, "len", "int", "float", "sum", "ord", "abs", "round")
    computed = isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Sub, ast.Div, ast.FloorDiv, ast.Pow))
    return counts or computed or is_number(node)
