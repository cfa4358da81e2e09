"""Near misses: values that are almost the expected one, so that only code that looks closely tells them apart.

A miss has the type and the size of what it stands for, where that can be: values that equal all of their kind, or all
texts but for case and blanks, are met by one that they take for the right one.
"""

from __future__ import annotations

import ast
import random

_SEQUENCES = "isinstance(v, (str, bytes, list, tuple)) and v"
_SHORTER = f"v[1:] if {_SEQUENCES}"
_AT_RUN_TIME = (
    _SHORTER,
    f"v[:-1] if {_SEQUENCES}",
    f"v + v[:1] if {_SEQUENCES}",
    f"v.replace(' ', '  ', 1) if isinstance(v, str) and ' ' in v else {_SHORTER}",
    f"v.swapcase() if isinstance(v, str) and v != v.swapcase() else {_SHORTER}",
)
"""The last two for those who do not look at blanks or at the case of letters."""
_REST = (
    "not v if isinstance(v, bool) else v + 1 if isinstance(v, (int, float)) "
    "else dict([*v.items()][1:]) if isinstance(v, dict) and v "
    "else type(v)([*v][1:]) if isinstance(v, (set, frozenset)) and v "
    "else type(v.__name__, (Exception,), {{}}) if isinstance(v, type) else [v, {n}]"
)
_LARGE = 1e9
"""A number above changes by so little with 1 that it may stay the same."""


def leaf(node: ast.expr, rng: random.Random) -> ast.expr:
    """The part of an expression to change: one element of a literal, or of one in it; else all of it."""
    match node:
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts) | ast.Dict(values=parts):
            plain = [each for each in parts if not isinstance(each, ast.Starred)]
            return leaf(rng.choice(plain), rng) if plain and len(plain) == len(parts) else node
    return node


def of(node: ast.expr, text: bytes, rng: random.Random) -> bytes:
    """Source of a near miss of what a leaf stands for, on as many lines. `text`: its own source."""
    match node if b"\n" not in text else None:
        case ast.Constant(value=bool(value)):
            return repr(not value).encode()
        case ast.Constant(value=int() | float() as value):
            return repr(_number(value, rng)).encode()
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return f"({_number(-value, rng)!r})".encode()
        case ast.Constant(value=str(value)):
            return ascii(_text(value, rng)).encode()
        case ast.Constant(value=bytes(value)):
            return repr(_text(value.decode("latin-1"), rng, widest=255).encode("latin-1")).encode()
    form = f"{rng.choice(_AT_RUN_TIME)} else {_REST.format(n=rng.randint(2, 99))}"
    return f"(lambda v: {form})(".encode() + text + b")"


def _number(value: int | float, rng: random.Random) -> int | float:
    return value + rng.choice((-1, 1)) if abs(value) < _LARGE else value * 2


def _text(value: str, rng: random.Random, widest: int = 0x10FFFF) -> str:
    """A letter in the other case, a blank more or less, or a sign that is doubled, left out or another one."""
    if not value:
        return "a"
    places = range(len(value))
    letters = [at for at in places if len(value[at].swapcase()) == 1 and value[at] != value[at].swapcase()]
    letters = [at for at in letters if ord(value[at].swapcase()) <= widest]
    blanks = [at for at in places if value[at].isspace()]
    at = rng.choice(rng.choice([each for each in (letters, blanks, places) if each]))
    sign = value[at]
    if at in letters and rng.random() < 0.5:
        return value[:at] + sign.swapcase() + value[at + 1 :]
    return value[:at] + rng.choice((sign * 2, "", "a" if sign != "a" else "b")) + value[at + 1 :]
