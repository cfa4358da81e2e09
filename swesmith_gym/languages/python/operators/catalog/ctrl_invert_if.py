"""The branches of an if-else change places."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import block_span, own_lines


class CtrlInvertIf(Operator[ast.If]):
    """Both branches must be blocks of the same form; the condition and comments around them stay where they are."""

    name = "ctrl_invert_if"
    sentence = "the branches of an if-else changed places"
    needs = frozenset({"if_else"})
    complexity = (5, None)
    likelihood = 0.25
    valid = (
        Example.of(
            "def f(a):\n    if a:\n        b = 1  # one\n    else:\n        b = 2\n    return b\n",
            "def f(a):\n    if a:\n        b = 2  # one\n    else:\n        b = 1\n    return b\n",
        ),
        Example.of("def f(a):\n    if a: g()\n    else: h()\n", "def f(a):\n    if a: h()\n    else: g()\n"),
    )
    invalid = (
        "def f(a):\n    if a:\n        return 1\n",
        "def f(a):\n    if a:\n        g()\n    elif f:\n        h()\n",
        "def f(a):\n    if a:\n        return 1\n    else:\n        return 1\n",
    )

    def sites(self, scope: Scope) -> Iterator[ast.If]:
        """Statements with a plain `else`."""
        for node in scope.find(ast.If):
            if node.orelse and not (isinstance(node.orelse[0], ast.If) and scope.is_elif(node.orelse[0])):
                yield node

    def edits(self, scope: Scope, site: ast.If) -> Iterator[tuple[Edit, ...]]:
        """Exchange the texts of the two blocks."""
        alone = [own_lines(scope, each) is not None for each in (*site.body, *site.orelse)]
        if any(alone) and not all(alone):
            return
        first, second = block_span(scope, site.body), block_span(scope, site.orelse)
        source = scope.file.source
        if site.body[0].col_offset != site.orelse[0].col_offset and any(
            "\n" in source[start:end] for start, end in (first, second)
        ):
            return
        yield Edit(*first, source[slice(*second)]), Edit(*second, source[slice(*first)])
