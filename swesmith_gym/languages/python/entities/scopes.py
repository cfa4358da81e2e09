"""A file cut into entities, each with the nodes that are its own.

Nodes of a nested function or class belong to that one alone. Left out for good, since a change there is no bug:
annotations, docstrings and other bare strings, decorators, the insides of f-strings, overload stubs, `if TYPE_CHECKING`
blocks, tests of the interpreter's version, calls that only talk to type checkers.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from typing import TypeVar

from swesmith_gym.languages.python.entities.source import SourceFile
from swesmith_gym.records import CodeEntity

Node = TypeVar("Node", bound=ast.AST)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp, ast.comprehension, ast.match_case)
_FOR_CHECKERS = frozenset({"TypeVar", "NewType", "ParamSpec", "TypeVarTuple", "NamedTuple", "TypedDict"})
_TAGS: dict[type[ast.AST], str] = {
    ast.For: "loop", ast.AsyncFor: "loop", ast.While: "loop", ast.If: "if", ast.IfExp: "ternary",
    ast.BinOp: "binary_op", ast.BoolOp: "bool_op", ast.Compare: "comparison", ast.Call: "call",
    ast.Return: "return", ast.Assign: "assign", ast.AnnAssign: "assign", ast.AugAssign: "aug_assign",
    ast.With: "wrapper", ast.AsyncWith: "wrapper", ast.Try: "wrapper", ast.TryStar: "wrapper",
    ast.ExceptHandler: "except", ast.Subscript: "subscript", ast.Slice: "slice", ast.Await: "await",
    ast.Break: "break", ast.Continue: "continue", ast.Raise: "raise", ast.JoinedStr: "f_string",
}  # fmt: skip
_NAMED_TAGS = ("async", "base", "default", "if_else", "keyword", "method", "not", "number", "string")

TAGS = frozenset(_TAGS.values()) | frozenset(_NAMED_TAGS)
"""All tags that an entity can carry."""


class Scope:
    """One entity of one file, with its own nodes in source order. Immutable once its file is cut."""

    def __init__(self, file: SourceFile, node: Definition, name: str) -> None:
        self.file = file
        self.node = node
        self.name = name
        self.parents: dict[ast.AST, ast.AST] = {}
        self.complexity = 1
        self.entity: CodeEntity
        self._nodes: dict[type[ast.AST], list[ast.AST]] = {}
        first = node.decorator_list[0] if node.decorator_list else node
        assert node.end_lineno is not None
        self.lines = (first.lineno, node.end_lineno)
        self.span = (file.line_start(first.lineno), file.line_end(node.end_lineno))

    def add(self, node: ast.AST, parent: ast.AST) -> None:
        """Used while the file is cut."""
        self.parents[node] = parent
        self._nodes.setdefault(type(node), []).append(node)

    def find(self, *kinds: type[Node]) -> Iterator[Node]:
        """Own nodes of these exact classes, in source order within each class."""
        for kind in kinds:
            yield from self._nodes.get(kind, ())  # type: ignore[misc]

    def expressions(self) -> Iterator[ast.expr]:
        """Own expressions of every class, in no promised order."""
        for kind, nodes in self._nodes.items():
            if issubclass(kind, ast.expr):
                yield from nodes  # type: ignore[misc]

    def block(self, statement: ast.stmt) -> list[ast.stmt]:
        """The list of statements that a statement of this entity is in."""
        parent = self.parents[statement]
        for field in ("body", "orelse", "finalbody"):
            block = getattr(parent, field, None)
            if isinstance(block, list) and any(each is statement for each in block):
                return block
        raise LookupError(f"{type(statement).__name__} is in no block")

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Parents of a node, nearest first, up to this entity's own definition."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def is_elif(self, node: ast.If) -> bool:
        """The text of this node begins with `elif`."""
        return self.file.source.startswith("elif", self.file.start(node))

    def finish(self) -> None:
        """Used once the file is cut: computes the entity. Its path is left empty."""
        kind = "class" if isinstance(self.node, ast.ClassDef) else "function"
        start, end = self.lines
        self.entity = CodeEntity("", self.name, kind, start, end, self.complexity, frozenset(self._tags()))

    def _tags(self) -> Iterator[str]:
        for kind in self._nodes:
            if kind in _TAGS:
                yield _TAGS[kind]
        node = self.node
        if isinstance(node, ast.ClassDef):
            if node.bases:
                yield "base"
            if any(isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)) for each in node.body):
                yield "method"
        elif node.args.defaults or any(node.args.kw_defaults):
            yield "default"
        if isinstance(node, ast.AsyncFunctionDef):
            yield "async"
        if any(each.orelse for each in self.find(ast.If)):
            yield "if_else"
        if any(isinstance(each.op, ast.Not) for each in self.find(ast.UnaryOp)):
            yield "not"
        if any(each.keywords for each in self.find(ast.Call)):
            yield "keyword"
        constants = [each.value for each in self.find(ast.Constant)]
        if any(isinstance(each, str) for each in constants):
            yield "string"
        if any(isinstance(each, (int, float)) and not isinstance(each, bool) for each in constants):
            yield "number"


@lru_cache(maxsize=64)
def scopes(source: str) -> tuple[Scope, ...]:
    """Every entity of the file in order of appearance. Raises: SyntaxError."""
    cutter = _Cutter(SourceFile(source))
    try:
        cutter.body(cutter.file.tree.body, cutter.file.tree, None, "")
    except RecursionError as error:
        raise SyntaxError("nested too deeply") from error
    for scope in cutter.found:
        scope.finish()
    return tuple(cutter.found)


class _Cutter:
    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.found: list[Scope] = []

    def body(self, statements: list[ast.stmt], parent: ast.AST, scope: Scope | None, prefix: str) -> int:
        return sum(self.visit(each, parent, scope, prefix) for each in statements)

    def visit(self, node: ast.AST, parent: ast.AST, scope: Scope | None, prefix: str) -> int:
        """Give `node` and what is below it to its scope; how much complexity lies there."""
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if scope:
                scope.add(node, parent)
            return self.definition(node, prefix)
        if _left_out(node):
            return 0
        if scope:
            scope.add(node, parent)
        weight = _weight(node)
        if isinstance(node, ast.JoinedStr):
            return weight
        skipped = _skipped_field(node)
        for field in node._fields:
            if field == skipped:
                continue
            value = getattr(node, field, None)
            if isinstance(value, list):
                for each in value:
                    if isinstance(each, ast.AST):
                        weight += self.visit(each, node, scope, prefix)
            elif isinstance(value, ast.AST) and not isinstance(value, (ast.expr_context, ast.operator)):
                weight += self.visit(value, node, scope, prefix)
        return weight

    def definition(self, node: Definition, prefix: str) -> int:
        name = prefix + node.name
        scope = Scope(self.file, node, name)
        self.found.append(scope)
        if _is_overload(node):
            return 0
        inner = f"{name}." if isinstance(node, ast.ClassDef) else f"{name}.<locals>."
        weight = self.body(node.body, node, scope, inner)
        scope.complexity += weight
        return weight


def _weight(node: ast.AST) -> int:
    if isinstance(node, _BRANCHES):
        return 1
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    return len(node.ops) if isinstance(node, ast.Compare) else 0


def _skipped_field(node: ast.AST) -> str:
    if isinstance(node, (ast.AnnAssign, ast.arg)):
        return "annotation"
    # The first argument of `cast` is a type.
    return "args" if isinstance(node, ast.Call) and _last_name(node.func) == "cast" else ""


def _left_out(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.If):
        return any(_last_name(each) in {"TYPE_CHECKING", "version_info"} for each in ast.walk(node.test))
    return isinstance(node, ast.Call) and _last_name(node.func) in _FOR_CHECKERS


def _is_overload(node: Definition) -> bool:
    return any(_last_name(each) == "overload" for each in node.decorator_list)


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
