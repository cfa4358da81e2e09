"""An integer literal is one off."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator, replace
from swesmith_gym.languages.python.operators.text import integer_like


class OpChangeConst(Operator[ast.Constant]):
    """Anywhere in the code, not only inside of operations; the literal's base is kept."""

    name = "op_change_const"
    sentence = "an integer is off by one"
    kinds = ANY
    needs = frozenset({"number"})
    complexity = (3, None)
    likelihood = 0.4
    valid = (
        Example.of("def f(a): return a + 3", "def f(a): return a + 4", "def f(a): return a + 2"),
        Example.of("def f(a): return g(0x10)", "def f(a): return g(0x11)", "def f(a): return g(0xf)"),
        Example.of("class A:\n    size = 8\n", "class A:\n    size = 9\n", "class A:\n    size = 7\n"),
    )
    invalid = ("def f(a): return a or True", "def f(a: 'Literal[3]'): return 1.5", "def f(a=3): return f'{a:3}'")

    def sites(self, scope: Scope) -> Iterator[ast.Constant]:
        """Integer literals."""
        for node in scope.find(ast.Constant):
            if type(node.value) is int:
                yield node

    def edits(self, scope: Scope, site: ast.Constant) -> Iterator[tuple[Edit, ...]]:
        """One more or one less, never below zero (a sign is not part of a literal)."""
        value = int(str(site.value))
        for changed in (value + 1, value - 1):
            if changed >= 0:
                yield (replace(scope, site, integer_like(scope, site, changed)),)
