"""A class loses one of its bases."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import CLASS, Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import argument_removal, arguments


class ClassRmBase(Operator[ast.expr]):
    """Bases that only speak to type checkers, and `object`, are left alone."""

    name = "class_rm_base"
    sentence = "a base class was left out"
    kinds = CLASS
    needs = frozenset({"base"})
    complexity = (10, None)
    likelihood = 0.25
    valid = (
        Example.of("class A(B):\n    x = 1\n", "class A:\n    x = 1\n"),
        Example.of("class A(B, C, metaclass=M): ...", "class A(C, metaclass=M): ...", "class A(B, metaclass=M): ..."),
    )
    invalid = ("class A(object): ...", "class A(Generic[T]): ...", "class A: ...", "class A(Protocol): ...")

    def sites(self, scope: Scope) -> Iterator[ast.expr]:
        """Bases that have an effect at run time."""
        assert isinstance(scope.node, ast.ClassDef)
        for base in scope.node.bases:
            inner = base.value if isinstance(base, ast.Subscript) else base
            name = inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "id", "")
            if name not in {"object", "Generic", "Protocol"}:
                yield base

    def edits(self, scope: Scope, site: ast.expr) -> Iterator[tuple[Edit, ...]]:
        """Take the base out, with the brackets if it was all that they held."""
        assert isinstance(scope.node, ast.ClassDef)
        items = arguments(scope.node)
        if len(items) > 1:
            yield argument_removal(scope, items, items.index(site))
            return
        source = scope.file.source
        opened = source.rfind("(", 0, scope.file.start(site))
        closed = source.find(")", scope.file.end(site))
        yield (Edit(opened, closed + 1, ""),)
