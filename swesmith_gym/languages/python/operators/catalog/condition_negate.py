"""A condition is negated."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator, replace
from swesmith_gym.languages.python.operators.text import negated


class ConditionNegate(Operator[ast.expr]):
    """Of `if`, `elif`, `while` and of a comprehension. Negating a negation takes the `not` away."""

    name = "condition_negate"
    sentence = "a condition was negated"
    needs = frozenset()
    valid = (
        Example.of("def f(a):\n    if a.b: g()\n", "def f(a):\n    if not a.b: g()\n"),
        Example.of("def f(a):\n    while not(a): g()\n", "def f(a):\n    while (a): g()\n"),
        Example.of("def f(a): return [b for b in a if b or a]", "def f(a): return [b for b in a if not (b or a)]"),
    )
    invalid = ("def f(a): return not a", "def f(a):\n    while True: g()\n")

    def sites(self, scope: Scope) -> Iterator[ast.expr]:
        """Conditions, endless loops aside."""
        tests = [*(node.test for node in scope.find(ast.If)), *(node.test for node in scope.find(ast.While))]
        yield from (test for test in tests if not isinstance(test, ast.Constant))
        for each in scope.find(ast.comprehension):
            yield from each.ifs

    def edits(self, scope: Scope, site: ast.expr) -> Iterator[tuple[Edit, ...]]:
        """Negate it."""
        yield (replace(scope, site, negated(scope, site)),)
