"""Python source as text with places: what the rewritings of `honest.py` share. Not a benchmark.

Edits replace spans of bytes, so that all that is not edited stays byte for byte. Only for repositories in Python.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from swesmith_gym.languages.python.parsing import parse

Function = ast.FunctionDef | ast.AsyncFunctionDef
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
PEEKING = frozenset({"locals", "vars", "eval", "exec", "globals", "dir", "super", "_getframe", "currentframe", "stack"})
"""Names that make what a function is called, or which variables it has, part of what it does."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes [start, end) become `new`."""

    start: int
    end: int
    new: bytes


@dataclass(frozen=True)
class Rewritten:
    """What a rewriting makes of a module."""

    edits: Sequence[Edit]
    files: dict[str, bytes] = field(default_factory=dict)
    """New files, relative to the work tree."""


class Source:
    """One module. Raises SyntaxError where it is none."""

    def __init__(self, text: bytes, path: str) -> None:
        self.text = text
        self.path = path
        """Relative to the work tree."""
        self.tree = parse(text)
        self._starts = [0]
        for line in text.split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)

    def start(self, node: ast.AST) -> int:
        """Offset of the first byte of a node."""
        return self.line(node.lineno) + int(node.col_offset)  # type: ignore[attr-defined]

    def end(self, node: ast.AST) -> int:
        """Offset behind the last byte of a node."""
        return self.line(node.end_lineno) + int(node.end_col_offset)  # type: ignore[attr-defined]

    def line(self, number: int) -> int:
        """Offset of the beginning of a line, counted from 1; of the end of the text behind the last one."""
        return min(self._starts[number - 1], len(self.text))

    def of(self, node: ast.AST) -> bytes:
        """What is written of a node, without parentheses around it."""
        return self.text[self.start(node) : self.end(node)]

    def indent(self, node: ast.AST) -> bytes:
        """The white space in front of a statement that begins its line; other text in front is an error."""
        return self.text[self.line(node.lineno) : self.start(node)]  # type: ignore[attr-defined]

    def own_line(self, node: ast.stmt) -> bool:
        """Nothing but the statement stands on its lines, comments behind it aside, and it is not continued."""
        rest = self.text[self.end(node) : self.line((node.end_lineno or 0) + 1)].strip()
        return not self.indent(node).strip() and (not rest or rest.startswith(b"#"))

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name of the module, wherever it is used."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            match node:
                case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                    found.add(name)
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
                    found.add(name)
                case ast.alias(name=name, asname=other):
                    found |= {name, other or name}
        return frozenset(found)

    def fresh(self, wish: str) -> str:
        """A name like `wish` that the module does not use."""
        number, name = 1, wish
        while name in self.names or hasattr(builtins, name):
            number += 1
            name = f"{wish}_{number}"
        return name

    def functions(self, lines: Sequence[int]) -> list[Function]:
        """All functions and methods, those around `lines` first."""
        found = [node for node in ast.walk(self.tree) if isinstance(node, Function)]
        return sorted(found, key=lambda f: not any(f.lineno <= n <= (f.end_lineno or 0) for n in lines))

    def applied(self, edits: Sequence[Edit]) -> bytes:
        """The text with all edits made; they must not overlap."""
        text = self.text
        for edit in sorted(edits, key=lambda e: (e.start, e.end), reverse=True):
            text = text[: edit.start] + edit.new + text[edit.end :]
        return text


def own(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function's body that belong to no function, class or lambda inside it."""
    pending: list[ast.AST] = list(getattr(function, "body", []))
    while pending:
        node = pending.pop(0)
        yield node
        if not isinstance(node, SCOPES):
            pending += ast.iter_child_nodes(node)


def peeks(function: ast.AST) -> bool:
    """The function looks at frames, at its own variables or runs text."""
    return any(
        (isinstance(node, ast.Name) and node.id in PEEKING)
        or (isinstance(node, ast.Attribute) and node.attr in PEEKING)
        for node in ast.walk(function)
    )


def local_names(function: Function) -> set[str]:
    """Parameters, and what the function binds: as far as names tell it."""
    arguments = function.args
    found = {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    found |= {a.arg for a in (arguments.vararg, arguments.kwarg) if a}
    for node in own(function):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.ExceptHandler(name=str(name)):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.alias(name=name, asname=other):
                found.add(other or name.partition(".")[0])
    return found


def outer_names(function: Function) -> set[str]:
    """Names that the function declares as global or of a function around it."""
    return {name for node in own(function) if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}


def returns(source: Source, function: Function) -> list[ast.Return]:
    """The function's own `return VALUE` statements that have their lines for themselves."""
    found = [node for node in own(function) if isinstance(node, ast.Return) and node.value is not None]
    return [node for node in found if source.own_line(node)]


def value_span(source: Source, node: ast.Return | ast.Assign) -> tuple[int, int]:
    """The value of a statement with any parentheses around it: from behind `return` or `=` to the statement's end."""
    if isinstance(node, ast.Return):
        begin = source.start(node) + len(b"return")
    else:
        begin = source.text.index(b"=", source.end(node.targets[-1])) + 1
    while source.text[begin : begin + 1] in (b" ", b"\t"):
        begin += 1
    return begin, source.end(node)
