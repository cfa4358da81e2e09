"""A function returns the opposite truth value."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator, replace
from swesmith_gym.languages.python.operators.text import is_named, negated


class ReturnNegate(Operator[ast.Return]):
    """Where what it returns is certainly a truth value."""

    name = "return_negate"
    sentence = "a returned truth value was negated"
    needs = frozenset({"return"})
    likelihood = 0.2
    valid = (
        Example.of("def f(a): return True", "def f(a): return False"),
        Example.of("def f(a, b): return a in b", "def f(a, b): return not a in b"),
        Example.of("def f(a): return not a", "def f(a): return a"),
        Example.of("def f(a): return isinstance(a, int)", "def f(a): return not isinstance(a, int)"),
    )
    invalid = ("def f(a): return 1", "def f(a, b): return a and b")

    def sites(self, scope: Scope) -> Iterator[ast.Return]:
        """Returns of a truth value."""
        for node in scope.find(ast.Return):
            value = node.value
            known = isinstance(value, ast.Call) and is_named(
                value.func, "isinstance", "issubclass", "callable", "hasattr", "any", "all", "bool"
            )
            negation = isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)
            literal = isinstance(value, ast.Constant) and isinstance(value.value, bool)
            if known or negation or literal or isinstance(value, ast.Compare):
                yield node

    def edits(self, scope: Scope, site: ast.Return) -> Iterator[tuple[Edit, ...]]:
        """Negate it."""
        value = site.value
        assert value
        text = str(not value.value) if isinstance(value, ast.Constant) else negated(scope, value)
        yield (replace(scope, value, text),)
