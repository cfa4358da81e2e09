"""A number is another one altogether."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator, replace
from swesmith_gym.languages.python.operators.text import is_number


class NumberChange(Operator[ast.Constant]):
    """Doubled, zero or negative: more than the one off of `op_change_const`, and floats too."""

    name = "number_change"
    sentence = "a number was replaced by another one"
    kinds = ANY
    needs = frozenset({"number"})
    valid = (
        Example.of(
            "def f(a): return g(8)", "def f(a): return g(16)", "def f(a): return g(0)", "def f(a): return g(-8)"
        ),
        Example.of(
            "def f(a): return a * 0.5",
            "def f(a): return a * 1.0",
            "def f(a): return a * 0.0",
            "def f(a): return a * -0.5",
        ),
    )
    invalid = ("def f(a): return g(0)", "def f(a): return True", "def f(a): return '8'")

    def sites(self, scope: Scope) -> Iterator[ast.Constant]:
        """Numbers other than zero."""
        for node in scope.find(ast.Constant):
            if is_number(node) and node.value:
                yield node

    def edits(self, scope: Scope, site: ast.Constant) -> Iterator[tuple[Edit, ...]]:
        """Put each."""
        value = site.value
        if not isinstance(value, (int, float)):
            return
        changed = (value * 2, value * 0, -value) if value < 1e300 else (-value,)
        for each in changed:
            yield (replace(scope, site, repr(each)),)
