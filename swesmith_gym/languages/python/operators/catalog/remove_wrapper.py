"""A `with` or `try` around a block is taken off."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import is_text, own_lines


class RemoveWrapper(Operator[ast.With | ast.AsyncWith | ast.Try]):
    """The body stays, less indented; lines inside of multi-line strings are not moved."""

    name = "remove_wrapper"
    sentence = "the `with` or `try` around a block was taken off"
    needs = frozenset({"wrapper"})
    complexity = (3, None)
    likelihood = 0.25
    valid = (
        Example.of(
            "def f(a):\n    with a:\n        # c\n        g()\n        h('''\n  x''')\n",
            "def f(a):\n    # c\n    g()\n    h('''\n  x''')\n",
        ),
        Example.of(
            "async def f(a):\n    try:\n        return await a\n    except ValueError:\n        return 1\n",
            "async def f(a):\n    return await a\n",
        ),
    )
    invalid = ("def f(a):\n    with open(a) as b:\n        return b.read()\n", "def f(a):\n    with a: g()\n")

    def sites(self, scope: Scope) -> Iterator[ast.With | ast.AsyncWith | ast.Try]:
        """`try`, and `with` that binds no name (without it the body would only raise NameError)."""
        withs: list[ast.With | ast.AsyncWith] = [*scope.find(ast.With), *scope.find(ast.AsyncWith)]
        for node in withs:
            if not any(item.optional_vars for item in node.items):
                yield node
        yield from scope.find(ast.Try)

    def edits(self, scope: Scope, site: ast.With | ast.AsyncWith | ast.Try) -> Iterator[tuple[Edit, ...]]:
        """Put the body, dedented, in the statement's place."""
        whole = own_lines(scope, site)
        last = own_lines(scope, site.body[-1])
        first = own_lines(scope, site.body[0])
        if not whole or not first or not last:
            return
        file = scope.file
        depth = site.body[0].col_offset - site.col_offset
        inside = {n for each in site.body for part in ast.walk(each) for n in _string_lines(part)}
        head = file.source.rfind(":", whole[0], first[0])
        begin = file.source.find("\n", head) + 1
        number = file.source.count("\n", 0, begin) + 1
        lines = file.source[begin : last[1]].splitlines(keepends=True)
        moved = "".join(
            line if at in inside or line[:depth].strip() else line[depth:] if line.strip() else line
            for at, line in enumerate(lines, number)
        )
        yield (Edit(*whole, moved),)


def _string_lines(node: ast.AST) -> range:
    """Lines that begin inside of a string literal."""
    if is_text(node) and isinstance(node, ast.expr) and node.end_lineno:
        return range(node.lineno + 1, node.end_lineno + 1)
    return range(0)
