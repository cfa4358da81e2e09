"""A text is no longer normalized."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import called_name, is_named

NORMALIZERS = frozenset(
    {"strip", "lstrip", "rstrip", "lower", "upper", "casefold", "title", "expandtabs", "resolve", "absolute", "replace"}
    | {"removeprefix", "removesuffix"}
)
NOT_TEXT = ("str", "bytes", "dataclasses", "os", "shutil", "copy")


class NormalizationRemove(Operator[ast.Call]):
    """Stripping, changing case, replacing: the text is used as it came."""

    name = "normalization_remove"
    sentence = "a text is no longer normalized"
    kinds = ANY
    needs = frozenset({"call"})
    likelihood = 0.2
    valid = (
        Example.of("def f(a): return a.strip().split()", "def f(a): return a.split()"),
        Example.of("def f(a): return (a + 'x').replace('-', '_')", "def f(a): return (a + 'x')"),
    )
    invalid = ("def f(a): return strip(a)", "def f(a): return str.lower(a)", "def f(a): return a.lower")

    def sites(self, scope: Scope) -> Iterator[ast.Call]:
        """Calls of a normalizing method on something."""
        for node in scope.find(ast.Call):
            named = isinstance(node.func, ast.Attribute) and not is_named(node.func.value, *NOT_TEXT)
            if named and called_name(node) in NORMALIZERS and not node.keywords:
                yield node

    def edits(self, scope: Scope, site: ast.Call) -> Iterator[tuple[Edit, ...]]:
        """Take the call away, keep what it was made on."""
        dot = scope.file.source.rfind(".", 0, scope.file.end(site.func))
        yield (Edit(dot, scope.file.end(site), ""),)
