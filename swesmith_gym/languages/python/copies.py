"""What is a copy of Python code: the same tokens however they are laid out, or the same byte code.

Runs in two places: on the host, through the language protocol, and as text inside of a sandbox, where copies are looked
for. It therefore imports the standard library only, and works with every Python from 3.8 on.
"""

from __future__ import annotations

import hashlib
import importlib.util
import marshal
import re
from types import CodeType

_COMMENT = re.compile(r"#[^\n]*")
_EXACT = re.compile(r"\w+|[^\w\s\\]")
_LOOSE = re.compile(r"\w+|[-+*/%@&|^~<>=!.\[\]{}:]")
_MAGIC = importlib.util.MAGIC_NUMBER
_HEADER = 16
"""Bytes in front of the code in a byte code file."""
_ANY_MAGIC = b"\r\n"
OPTIMIZED = (0, 1, 2)
"""Levels of `python -O` that byte code may have been made with."""
TREE = "/testbed/"


def tokens(text: str, exact: bool = False) -> list[str]:
    """The code's tokens without layout and comments, line by line: those of two texts are those of their sum.

    Without `exact` also without parentheses, commas and quotes, which formatters change.
    """
    return (_EXACT if exact else _LOOSE).findall(_COMMENT.sub("", text))


def code_digests(source: str, names: list[str]) -> dict[str, str]:
    """Digests of the functions and classes of these names, and of the module (named `<module>`) -> name.

    One for each level of optimization. A text that does not compile has none.
    """
    found: dict[str, str] = {}
    for level in OPTIMIZED:
        try:
            code = compile(source, "original", "exec", dont_inherit=True, optimize=level)
        except (SyntaxError, ValueError):
            return {}
        found.update(_digests(code, frozenset(names)))
    return found


def byte_code(data: bytes, names: frozenset[str]) -> tuple[dict[str, str], bool]:
    """Digests as above of a byte code file, and whether it was compiled from the work tree. Other data: nothing.

    Byte code of another interpreter cannot be taken apart: only where it came from is seen.
    """
    if len(data) <= _HEADER or data[2:4] != _ANY_MAGIC:
        return {}, False
    if data[:4] != _MAGIC:
        return {}, TREE.encode() in data[-65536:] + data[:65536]
    try:
        code = marshal.loads(memoryview(data)[_HEADER:])
    except (ValueError, EOFError, TypeError):
        return {}, False
    if not isinstance(code, CodeType):
        return {}, False
    return _digests(code, names), code.co_filename.startswith(TREE)


def _digests(code: CodeType, names: frozenset[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    pending = [code]
    while pending:
        each = pending.pop()
        if each.co_name in names:
            found[_digest(each)] = each.co_name
        pending += [constant for constant in each.co_consts if isinstance(constant, CodeType)]
    return found


def _digest(code: CodeType) -> str:
    """Without positions and file names, so that it does not matter where a function stands."""
    constants = [_digest(each) if isinstance(each, CodeType) else _constant(each) for each in code.co_consts]
    parts = (code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, constants)
    return hashlib.sha256(repr((code.co_name, code.co_argcount, parts)).encode("utf-8", "replace")).hexdigest()


def _constant(value: object) -> str:
    """Sets have no order of their own."""
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)
