"""A copy is no longer made."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator, replace
from swesmith_gym.languages.python.operators.text import bracketed, is_named

COPIERS = ("list", "dict", "set", "tuple", "sorted", "frozenset", "copy", "deepcopy")


class CopyRemove(Operator[ast.Call]):
    """What comes out is the original: another type, another order, or shared with someone who changes it."""

    name = "copy_remove"
    sentence = "a copy or conversion is no longer made"
    kinds = ANY
    needs = frozenset({"call"})
    likelihood = 0.2
    valid = (
        Example.of("def f(a): return list(a)", "def f(a): return a"),
        Example.of("def f(a): return sorted(a or ())[0]", "def f(a): return (a or ())[0]"),
        Example.of("def f(a): return a.b.copy()", "def f(a): return a.b"),
        Example.of("def f(a): return copy.deepcopy(a)", "def f(a): return a"),
    )
    invalid = (
        "def f(a): return list(b for b in a)",
        "def f(a): return dict(a, b=1)",
        "def f(): return list()",
        "def f(a): return list(*a)",
    )

    def sites(self, scope: Scope) -> Iterator[ast.Call]:
        """Calls that copy or convert one thing."""
        for node in scope.find(ast.Call):
            if node.keywords:
                continue
            module = isinstance(node.func, ast.Attribute) and is_named(node.func.value, "copy")
            single = len(node.args) == 1 and not isinstance(node.args[0], (ast.Starred, ast.GeneratorExp))
            method = isinstance(node.func, ast.Attribute) and node.func.attr == "copy" and not node.args
            if method or (single and (is_named(node.func, *COPIERS) or module)):
                yield node

    def edits(self, scope: Scope, site: ast.Call) -> Iterator[tuple[Edit, ...]]:
        """Take the original."""
        if site.args:
            yield (replace(scope, site, bracketed(scope, site.args[0])),)
        elif isinstance(site.func, ast.Attribute):
            dot = scope.file.source.rfind(".", 0, scope.file.end(site.func))
            yield (Edit(dot, scope.file.end(site), ""),)
