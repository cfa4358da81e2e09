"""Methods of a class change order, where that can be seen."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import CLASS, Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import statement_text

Method = ast.FunctionDef | ast.AsyncFunctionDef


class ClassShuffleFuncs(Operator[tuple[Method, ...]]):
    """Order shows where a name is defined twice, or a class decorator or metaclass reads the body; nowhere else.

    Methods that the class body itself refers to stay in place: importing the module never raises NameError.
    """

    name = "class_shuffle_funcs"
    sentence = "methods were put in another order"
    kinds = CLASS
    needs = frozenset({"method"})
    complexity = (10, None)
    likelihood = 0.25
    valid = (
        Example.of(
            "class A:\n    def f(self): return 1\n\n    def f(self): return 2\n",
            "class A:\n    def f(self): return 2\n\n    def f(self): return 1\n",
        ),
        Example.of(
            "@ordered\nclass A:\n    '''Doc.'''\n    def f(self): ...\n    async def g(self): ...\n",
            "@ordered\nclass A:\n    '''Doc.'''\n    async def g(self): ...\n    def f(self): ...\n",
        ),
    )
    invalid = (
        "class A(B):\n    def f(self): ...\n    def g(self): ...\n",
        "class A:\n    @property\n    def f(self): ...\n    @f.setter\n    def f(self, a): ...\n",
    )

    def sites(self, scope: Scope) -> Iterator[tuple[Method, ...]]:
        """All methods that may move, together."""
        assert isinstance(scope.node, ast.ClassDef)
        methods = [each for each in scope.node.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))]
        names = [each.name for each in methods]
        seen = bool(scope.node.decorator_list) or any(each.arg == "metaclass" for each in scope.node.keywords)
        if not seen and len(set(names)) == len(names):
            return
        used = set(_used_by_body(scope.node))
        free = tuple(each for each in methods if each.name not in used and statement_text(scope, each))
        if len(free) > 1:
            yield free

    def edits(self, scope: Scope, site: tuple[Method, ...]) -> Iterator[tuple[Edit, ...]]:
        """Give each place the text of another method."""
        spans = [span for each in site if (span := statement_text(scope, each))]
        texts = [scope.file.source[slice(*span)] for span in spans]
        for turned in range(1, len(texts)):
            moved = texts[turned:] + texts[:turned]
            yield tuple(Edit(*span, text) for span, text, old in zip(spans, moved, texts, strict=True) if text != old)


def _used_by_body(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        parts: list[ast.AST] = [statement]
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            parts = [*statement.decorator_list, *statement.args.defaults, *filter(None, statement.args.kw_defaults)]
        for part in parts:
            for each in ast.walk(part):
                if isinstance(each, ast.Name):
                    yield each.id
