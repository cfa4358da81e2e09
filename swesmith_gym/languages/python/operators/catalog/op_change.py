"""A binary operator becomes another one of its group."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import BINARY, binary_token, is_text

GROUPS = (("+", "-", "*", "/", "//", "%"), ("&", "|", "^"), ("<<", ">>"))


class OpChange(Operator[ast.BinOp]):
    """Never picks the operator that was there, and leaves text and list building alone: that would only raise."""

    name = "op_change"
    sentence = "a binary operator was replaced by another one"
    kinds = ANY
    needs = frozenset({"binary_op"})
    complexity = (3, None)
    likelihood = 0.4
    valid = (
        Example.of("def f(a, b): return a & b", "def f(a, b): return a | b", "def f(a, b): return a ^ b"),
        Example.of("async def f(a, b): return a << b  # c", "async def f(a, b): return a >> b  # c"),
    )
    invalid = ("def f(a): return 'n: ' + a", "def f(a: int | None) -> int | str: return a", "def f(a): return '%s' % a")

    def sites(self, scope: Scope) -> Iterator[ast.BinOp]:
        """Operations on anything but literal text and displays."""
        for node in scope.find(ast.BinOp):
            if not any(is_text(side) or isinstance(side, (ast.List, ast.Tuple)) for side in (node.left, node.right)):
                yield node

    def edits(self, scope: Scope, site: ast.BinOp) -> Iterator[tuple[Edit, ...]]:
        """Every other symbol of the group."""
        token = binary_token(scope, site)
        symbol = BINARY[type(site.op)]
        choices = [each for group in GROUPS if symbol in group for each in group if each != symbol]
        if token:
            yield from ((Edit(*token, each),) for each in choices)
