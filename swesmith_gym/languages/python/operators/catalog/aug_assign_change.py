"""An assignment that updates a variable updates it differently."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import BINARY, is_text

OPPOSITE: dict[type[ast.operator], str] = {
    ast.Add: "-=",
    ast.Sub: "+=",
    ast.Mult: "/=",
    ast.Div: "*=",
    ast.FloorDiv: "*=",
    ast.BitAnd: "|=",
    ast.BitOr: "&=",
    ast.BitXor: "|=",
    ast.LShift: ">>=",
    ast.RShift: "<<=",
    ast.Mod: "//=",
    ast.Pow: "*=",
}


class AugAssignChange(Operator[ast.AugAssign]):
    """By the opposite operator, or it overwrites instead."""

    name = "aug_assign_change"
    sentence = "a variable is updated in another way"
    kinds = ANY
    needs = frozenset({"aug_assign"})
    likelihood = 0.2
    valid = (
        Example.of("def f(a): a.b += 1", "def f(a): a.b -= 1", "def f(a): a.b = 1"),
        Example.of("def f(a):\n    a += 'x'\n    return a\n", "def f(a):\n    a = 'x'\n    return a\n"),
    )
    invalid = ("def f(a): a = a + 1",)

    def sites(self, scope: Scope) -> Iterator[ast.AugAssign]:
        """Updates."""
        yield from scope.find(ast.AugAssign)

    def edits(self, scope: Scope, site: ast.AugAssign) -> Iterator[tuple[Edit, ...]]:
        """Replace the operator."""
        symbol = f"{BINARY[type(site.op)]}="
        start = scope.file.source.find(symbol, scope.file.end(site.target), scope.file.start(site.value))
        if start < 0:
            return
        if type(site.op) in OPPOSITE and not is_text(site.value) and not isinstance(site.value, (ast.List, ast.Tuple)):
            yield (Edit(start, start + len(symbol), OPPOSITE[type(site.op)]),)
        yield (Edit(start, start + len(symbol), "="),)
