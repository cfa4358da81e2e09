"""A class loses a method, with what refers to it in the class body."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import CLASS, Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import is_named, own_lines


class ClassRmFuncs(Operator[str]):
    """Aliases, and setters of a property that goes, go with it: else the class body itself would raise."""

    name = "class_rm_funcs"
    sentence = "a method was left out"
    kinds = CLASS
    needs = frozenset({"method"})
    complexity = (10, None)
    likelihood = 0.15
    valid = (
        Example.of("class A:\n    def f(self): ...\n", "class A:\n    pass\n"),
        Example.of(
            "class A:\n    x = 1\n    @property\n    def f(s): ...\n    @f.setter\n    def f(s, a): ...\n    g = f\n",
            "class A:\n    x = 1\n",
        ),
    )
    invalid = ("class A:\n    x = 1\n", "class A:\n    @overload\n    def f(self): ...\n")

    def sites(self, scope: Scope) -> Iterator[str]:
        """Names of methods."""
        seen = set()
        for node in scope.node.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name not in seen:
                seen.add(node.name)
                if not any(is_named(each, "overload") for each in node.decorator_list):
                    yield node.name

    def edits(self, scope: Scope, site: str) -> Iterator[tuple[Edit, ...]]:
        """Take out the definitions of the name and the statements of the class body that use it."""
        gone = [each for each in scope.node.body if _concerns(each, site)]
        spans = [own_lines(scope, each) for each in gone]
        if not all(spans):
            return
        removals = [Edit(*span, "") for span in spans if span]
        if len(gone) == len(scope.node.body):
            removals[0] = Edit(scope.file.start(gone[0]), scope.file.end(gone[0]), "pass")
        yield tuple(removals)


def _concerns(statement: ast.stmt, name: str) -> bool:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        defaults = [each for each in (*statement.args.defaults, *statement.args.kw_defaults) if each]
        used = any(is_named(n, name) for each in (*statement.decorator_list, *defaults) for n in ast.walk(each))
        return used or statement.name == name
    if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Expr)) and statement.value:
        return any(is_named(each, name) for each in ast.walk(statement.value))
    return False
