"""Statements that depend on each other change order."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import always_leaves, blocks, statement_text

MOVABLE = (
    ast.Assign,
    ast.AugAssign,
    ast.AnnAssign,
    ast.Expr,
    ast.Delete,
    ast.Assert,
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
)


class CtrlShuffle(Operator[tuple[ast.stmt, ...]]):
    """Docstrings, imports, definitions and whatever leaves the block stay in place: no code becomes unreachable."""

    name = "ctrl_shuffle"
    sentence = "statements were put in another order"
    needs = frozenset({"loop"})
    complexity = (3, 10)
    likelihood = 0.25
    valid = (
        Example.of(
            'def f(a):\n    """Doc."""\n    n = 0\n    for b in a: n += b  # up\n    return n\n',
            'def f(a):\n    """Doc."""\n    for b in a: n += b  # up\n    n = 0\n    return n\n',
        ),
        Example.of(
            "def f(a):\n    while a:\n        g(a)\n        a = h(a)\n",
            "def f(a):\n    while a:\n        a = h(a)\n        g(a)\n",
        ),
    )
    invalid = (
        "def f(a):\n    b = a\n    return b\n",
        "def f(a):\n    x = 1\n    y = 2\n    return x + y\n",
        "def f(a): b = 1; return b",
    )

    def sites(self, scope: Scope) -> Iterator[tuple[ast.stmt, ...]]:
        """Runs of two or more movable statements in a row, each on lines of its own."""
        for block in blocks(scope):
            run: list[ast.stmt] = []
            for each in [*block, None]:
                if each is not None and each in scope.parents and self._movable(scope, each):
                    run.append(each)
                    continue
                if len(run) > 1:
                    yield tuple(run)
                run = []

    def _movable(self, scope: Scope, each: ast.stmt) -> bool:
        return isinstance(each, MOVABLE) and not always_leaves(each) and statement_text(scope, each) is not None

    def edits(self, scope: Scope, site: tuple[ast.stmt, ...]) -> Iterator[tuple[Edit, ...]]:
        """Exchange two statements of which one uses what the other sets, or that both call something."""
        source = scope.file.source
        for at, one in enumerate(site):
            for other in site[at + 1 :]:
                first, second = statement_text(scope, one), statement_text(scope, other)
                if first and second and _interact(one, other):
                    yield Edit(*first, source[slice(*second)]), Edit(*second, source[slice(*first)])


def _interact(a: ast.stmt, b: ast.stmt) -> bool:
    sets_a, uses_a, calls_a = _effects(a)
    sets_b, uses_b, calls_b = _effects(b)
    return bool(sets_a & (sets_b | uses_b) or sets_b & uses_a) or (calls_a and calls_b)


def _effects(statement: ast.stmt) -> tuple[set[str], set[str], bool]:
    sets: set[str] = set()
    uses: set[str] = set()
    calls = False
    for node in ast.walk(statement):
        if isinstance(node, ast.Call):
            calls = True
        elif isinstance(node, (ast.Name, ast.Attribute)):
            name = node.id if isinstance(node, ast.Name) else node.attr
            (uses if isinstance(node.ctx, ast.Load) else sets).add(name)
    return sets, uses, calls
