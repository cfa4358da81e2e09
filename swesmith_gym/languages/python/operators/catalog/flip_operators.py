"""A binary operator becomes its opposite."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import BINARY, binary_token, is_text

OPPOSITE = {
    "+": "-",
    "-": "+",
    "*": "/",
    "/": "*",
    "//": "*",
    "%": "//",
    "**": "*",
    "<<": ">>",
    ">>": "<<",
    "&": "|",
    "|": "&",
    "^": "&",
}


class FlipOperators(Operator[ast.BinOp]):
    """Text formatting and concatenation with a literal are left alone."""

    name = "flip_operators"
    sentence = "a binary operator was replaced by its opposite"
    kinds = ANY
    needs = frozenset({"binary_op"})
    complexity = (3, None)
    likelihood = 0.25
    valid = (
        Example.of("def f(a, b): return (a) + (b)", "def f(a, b): return (a) - (b)"),
        Example.of("def f(a): return a[len(a) -1:]", "def f(a): return a[len(a) +1:]"),
    )
    invalid = ("def f(a): return a + 'x'", "def f(a, b): return a @ b")

    def sites(self, scope: Scope) -> Iterator[ast.BinOp]:
        """Operations that have an opposite."""
        for node in scope.find(ast.BinOp):
            if BINARY[type(node.op)] in OPPOSITE and not is_text(node.left) and not is_text(node.right):
                yield node

    def edits(self, scope: Scope, site: ast.BinOp) -> Iterator[tuple[Edit, ...]]:
        """Put the opposite symbol."""
        token = binary_token(scope, site)
        if token:
            yield (Edit(*token, OPPOSITE[BINARY[type(site.op)]]),)
