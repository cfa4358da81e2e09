"""A formatted string formats in another way."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator

CONVERSION = re.compile(r"(?<=[\w)\]])![rsa](?=[:}])")
SPEC = re.compile(r"(?<=[\w)\]]):[^{}'\"\n\s]+(?=\})")
FIELD = re.compile(r"(?<!\{)\{[\w.]+(?=\})")
PREFIX = re.compile(r"(?:[fF](?=['\"])|[fF](?=[rR]['\"]))")


class FStringChange(Operator[ast.JoinedStr]):
    """A conversion or format goes, `!r` comes, or the whole text is no longer formatted at all."""

    name = "f_string_change"
    sentence = "a formatted string was changed"
    needs = frozenset({"f_string"})
    likelihood = 0.15
    valid = (
        Example.of(
            "def f(a): return f'{a!r}: {a:>8}'",
            "def f(a): return f'{a}: {a:>8}'",
            "def f(a): return f'{a!r}: {a}'",
            "def f(a): return '{a!r}: {a:>8}'",
        ),
        Example.of("def f(a): return f'<{a.b}>'", "def f(a): return f'<{a.b!r}>'", "def f(a): return '<{a.b}>'"),
    )
    invalid = ("def f(a): return '{a!r}'", "def f(a): raise ValueError(f'{a}')")

    def sites(self, scope: Scope) -> Iterator[ast.JoinedStr]:
        """Formatted strings, the messages of errors aside."""
        for node in scope.find(ast.JoinedStr):
            if not any(isinstance(each, (ast.Raise, ast.Assert)) for each in scope.ancestors(node)):
                yield node

    def edits(self, scope: Scope, site: ast.JoinedStr) -> Iterator[tuple[Edit, ...]]:
        """Each of the three."""
        start, text = scope.file.start(site), scope.file.text(site)
        for pattern in (CONVERSION, SPEC):
            for match in pattern.finditer(text):
                yield (Edit(start + match.start(), start + match.end(), ""),)
        for match in FIELD.finditer(text):
            yield (Edit(start + match.end(), start + match.end(), "!r"),)
        prefix = PREFIX.match(text)
        if prefix:
            yield (Edit(start, start + prefix.end(), ""),)
