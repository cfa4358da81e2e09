"""A parameter is used in the place of another."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator, replace


class VariableSwap(Operator[ast.Name]):
    """Only parameters, which always have a value; never the first one of a method, never what is called."""

    name = "variable_swap"
    sentence = "a parameter was used in the place of another"
    complexity = (2, None)
    valid = (
        Example.of("def f(a, b): return a.x", "def f(a, b): return b.x"),
        Example.of("def f(self, a, *, b): return self.g(a)", "def f(self, a, *, b): return self.g(b)"),
    )
    invalid = ("def f(a): return a", "def f(a, b): return a()", "def f(self, a): return a", "def f(a, *b): return g")

    def sites(self, scope: Scope) -> Iterator[ast.Name]:
        """Uses of a parameter where there is another one."""
        names = self._parameters(scope)
        for node in scope.find(ast.Name) if len(names) > 1 else ():
            parent = scope.parents[node]
            called = isinstance(parent, ast.Call) and parent.func is node
            if node.id in names and isinstance(node.ctx, ast.Load) and not called:
                yield node

    def _parameters(self, scope: Scope) -> list[str]:
        if isinstance(scope.node, ast.ClassDef):
            return []
        given = scope.node.args
        names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        return [name for name in names if name not in {"self", "cls", "mcs"}]

    def edits(self, scope: Scope, site: ast.Name) -> Iterator[tuple[Edit, ...]]:
        """Use each other one."""
        for name in self._parameters(scope):
            if name != site.id:
                yield (replace(scope, site, name),)
