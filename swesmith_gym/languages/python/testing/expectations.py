"""What a test expects, by its text: the places where it says so, and its lines with another value in one of them."""

from __future__ import annotations

import ast
import io
import random
import re
import tokenize
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from swesmith_gym.languages.base import Files
from swesmith_gym.languages.python.testing import misses
from swesmith_gym.languages.python.testing.cut import first_line
from swesmith_gym.languages.python.testing.ids import module_of, names_of
from swesmith_gym.languages.python.testing.scopes import Function, Module

_EQUAL = re.compile(r"assert_?(?:\w*[a-z])?_?[Ee]quals?|eq_")
_UNEQUAL = re.compile(r"not|almost", re.IGNORECASE)
_TRUE = frozenset({"assertTrue", "assert_", "assert_true", "ok_"})
_FALSE = frozenset({"assertFalse", "assert_false"})
_RAISES = re.compile(r"raises|assertRaises(Regexp?)?")
_CHECKS = re.compile(r"_*(assert|check|expect|verif|compare|ensure|same|test)", re.IGNORECASE)
_REPEATING = re.compile(r"\b(given|flaky|rerun\w*|retry\w*|repeat\w*|benchmark)\b")
"""Decorators that run a test that fails over and over."""


@dataclass(frozen=True, slots=True)
class TestText:
    """A test whose text is found in its own module, on lines of its own."""

    __test__ = False

    id: str
    module: Module
    owner: tuple[str, ...]
    """Classes around it, outermost first."""
    node: ast.FunctionDef | ast.AsyncFunctionDef

    @property
    def first(self) -> int:
        """Index of its first line in the module, decorators with it."""
        return first_line(self.node) - 1

    @property
    def lines(self) -> list[bytes]:
        """Its own lines."""
        return self.module.lines[self.first : self.node.end_lineno]

    @property
    def repeats(self) -> bool:
        """It is run over and over until it passes, or until it does not."""
        return any(_REPEATING.search(ast.unparse(each)) for each in self.node.decorator_list)


@dataclass(frozen=True, slots=True)
class Expectation:
    """An expression that may be changed so that honest code does not pass any longer.

    `equal`: it says what a value, or an error, has to be; `given`: it is handed to a function that may compare it;
    `true`: it has to be true.
    """

    kind: Literal["equal", "given", "true"]
    node: ast.expr
    other: ast.expr | None = None
    """What it is compared with."""


def locate(files: Files, tests: Collection[str]) -> Iterator[TestText]:
    """One for each function, in order of ids."""
    seen = set()
    for test_id in sorted(tests):
        path, names = module_of(test_id), names_of(test_id)
        if (path, names) in seen or not path.endswith(".py") or path not in files or not names:
            continue
        seen.add((path, names))
        module = _module(path, files[path])
        places = module.places(names) if module else []
        if module and places and isinstance(node := places[-1].statement, Function) and _alone(module, node):
            yield TestText(test_id, module, names[:-1], node)


def expectations(test: TestText) -> list[Expectation]:
    """All that a test says on every way through it; loops are taken to run."""
    return list(_in_block(test.node.body))


def changed(test: TestText, place: Expectation, rng: random.Random) -> list[bytes]:
    """The test's lines, as many as before, with another value in one place."""
    node, lines = place.node, test.lines
    if place.kind == "equal":
        node = misses.leaf(_expected(place, rng), rng)
    top, bottom = node.lineno - 1 - test.first, (node.end_lineno or node.lineno) - 1 - test.first
    before, after = lines[top][: node.col_offset], lines[bottom][node.end_col_offset or 0 :]
    text = b"".join([*lines[top:bottom], lines[bottom][: node.end_col_offset]])[node.col_offset :]
    new = b"(not (" + text + b"))" if place.kind == "true" else misses.of(node, text, rng)
    return [*lines[:top], *(before + new + after).splitlines(keepends=True), *lines[bottom + 1 :]]


@lru_cache(maxsize=64)
def _module(path: str, source: bytes) -> Module | None:
    """None: it cannot be read, or columns would not count what they count in UTF-8."""
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(source).readline)[0]
        source.decode("utf-8" if encoding.startswith("utf-8") else "ascii")
        return Module(path, source)
    except (SyntaxError, ValueError):
        return None


def _alone(module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return not module.lines[node.lineno - 1][: node.col_offset].strip()


def _in_block(body: Sequence[ast.stmt]) -> Iterator[Expectation]:
    for statement in body:
        match statement:
            case ast.Assert(test=test):
                yield from _in_truth(test)
            case ast.Expr(value=ast.Call() as call):
                yield from _in_call(call)
            case ast.For(body=inner):
                yield from _in_block(inner)
            case ast.With(items=items, body=inner):
                yield from (each for item in items for each in _in_manager(item.context_expr))
                yield from _in_block(inner)


def _in_call(call: ast.Call) -> Iterator[Expectation]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    match call.args:
        case [first, second, *_] if _EQUAL.fullmatch(name) and not _UNEQUAL.search(name):
            yield Expectation("equal", second, first)
        case [first, *_] if name in _TRUE:
            yield from _in_truth(first)
        case [first, *_] if name in _FALSE:
            yield Expectation("true", first)
        case [*given] if _CHECKS.match(name):
            yield from (Expectation("given", each) for each in given if isinstance(each, ast.Constant))


def _in_manager(node: ast.expr) -> Iterator[Expectation]:
    """An exception that has to be raised."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[first, *_]) if _RAISES.fullmatch(name):
            yield Expectation("equal", first)


def _in_truth(test: ast.expr) -> Iterator[Expectation]:
    """Those in an expression that each have to hold for it to be true; the whole of it where none is known."""
    match test:
        case ast.Compare(left=left, ops=ops, comparators=others) if all(isinstance(op, ast.Eq | ast.Is) for op in ops):
            for one, other in zip([left, *others], others, strict=False):
                yield Expectation("equal", other, one)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Compare(left=left, ops=[ast.NotEq()], comparators=[other])):
            yield Expectation("equal", other, left)
        case ast.BoolOp(op=ast.And(), values=values):
            for each in values:
                yield from _in_truth(each)
        case _:
            yield Expectation("true", test)


def _expected(place: Expectation, rng: random.Random) -> ast.expr:
    """The side that nothing is called for; either where both are alike."""
    left, right = place.other, place.node
    if left is None:
        return right
    called = [any(isinstance(node, ast.Call) for node in ast.walk(side)) for side in (left, right)]
    if called[0] != called[1]:
        return right if called[0] else left
    if isinstance(left, ast.Constant) != isinstance(right, ast.Constant):
        return left if isinstance(left, ast.Constant) else right
    return rng.choice((left, right, right))
