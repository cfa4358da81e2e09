"""A string literal is a little different."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import ANY, Edit, Example, Operator
from swesmith_gym.languages.python.operators.text import called_name

PLAIN = re.compile(r"""[bBuU]?(['"])([^\\\n'"]+)\1""")
UNTESTED = frozenset({"debug", "info", "warning", "warn", "error", "exception", "log", "print", "TypeVar"})


class StringChange(Operator[ast.Constant]):
    """One character less, another case, or empty. Messages of errors, assertions and logs are left alone."""

    name = "string_change"
    sentence = "a string literal was changed"
    kinds = ANY
    needs = frozenset({"string"})
    valid = (
        Example.of(
            "def f(a): return a['key']",
            "def f(a): return a['ke']",
            "def f(a): return a['KEY']",
            "def f(a): return a['']",
        ),
        Example.of('def f(a): return a == ","', 'def f(a): return a == ""'),
    )
    invalid = (
        'def f(a):\n    """Doc."""\n    raise ValueError("no")\n',
        "def f(a): log.info('x')",
        "def f(a): return f'{a}b'",
        "def f(a: 'A') -> 'B': return '\\n'",
    )

    def sites(self, scope: Scope) -> Iterator[ast.Constant]:
        """Literals of one piece without escapes."""
        for node in scope.find(ast.Constant):
            plain = isinstance(node.value, (str, bytes)) and PLAIN.fullmatch(scope.file.text(node))
            if plain and not any(self._is_message(each) for each in scope.ancestors(node)):
                yield node

    def _is_message(self, node: ast.AST) -> bool:
        return isinstance(node, (ast.Raise, ast.Assert)) or (
            isinstance(node, ast.Call) and called_name(node) in UNTESTED
        )

    def edits(self, scope: Scope, site: ast.Constant) -> Iterator[tuple[Edit, ...]]:
        """Put each variation between the quotes."""
        text = scope.file.text(site)
        match = PLAIN.fullmatch(text)
        assert match
        start = scope.file.start(site)
        body = match.group(2)
        for changed in dict.fromkeys((body[:-1], body.swapcase(), "")):
            if changed != body:
                yield (Edit(start + match.start(2), start + match.end(2), changed),)
