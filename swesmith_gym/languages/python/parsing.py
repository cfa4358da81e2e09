"""Text to syntax tree and tree to code, for one thread at a time.

CPython 3.11 counts the depth of a tree's conversion for the whole interpreter: two threads that parse at once fail with
`SystemError: AST constructor recursion depth mismatch` (CPython issue 106905). Everything here that makes or compiles a
tree comes through this module.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from types import CodeType

_one_at_a_time = Lock()


def parse(source: str | bytes) -> ast.Module:
    """The syntax tree. Raises: SyntaxError for all that cannot be parsed, NUL bytes and deep nesting included."""
    with alone():
        return ast.parse(source)


def parse_expression(source: str) -> ast.expr:
    """The tree of one expression. Raises: as `parse`."""
    with alone():
        return ast.parse(source, mode="eval").body


def compiled(tree: ast.Module, flags: int = 0) -> CodeType:
    """The tree's code object. Raises: SyntaxError."""
    with alone():
        code: CodeType = compile(tree, "", "exec", flags=flags, dont_inherit=True)
    return code


def literal(text: str) -> object:
    """The value that a literal stands for. Raises: SyntaxError (it is none)."""
    with alone():
        return ast.literal_eval(text)


@contextmanager
def alone() -> Iterator[None]:
    """No other thread in here, no warnings, one kind of error."""
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (ValueError, TypeError, RecursionError, MemoryError) as error:
            raise SyntaxError(str(error) or type(error).__name__) from error
