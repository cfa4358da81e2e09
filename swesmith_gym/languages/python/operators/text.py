"""Pure helpers about the text of a node: finding a token, brackets, whole statements. They hold no state."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit

BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.MatMult: "@", ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
}  # fmt: skip
COMPARISON: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
LEAVES = (ast.Return, ast.Raise, ast.Break, ast.Continue)

_BINARY_TOKEN = re.compile(r"\*\*|//|<<|>>|[-+*/%@&|^]")
_COMPARISON_TOKEN = re.compile(r"is\s+not\b|not\s+in\b|\bis\b|\bin\b|[<>=!]=|[<>]")
_BOOLEAN_TOKEN = re.compile(r"\b(?:and|or)\b")
_ELSE = re.compile(r"^[ \t]*else[ \t]*:", re.MULTILINE)
_LOOSE = (
    ast.BinOp, ast.BoolOp, ast.Compare, ast.UnaryOp, ast.IfExp, ast.Lambda, ast.Await, ast.NamedExpr, ast.Starred,
    ast.Yield, ast.YieldFrom,
)  # fmt: skip


def bracketed(scope: Scope, node: ast.expr) -> str:
    """A node's text, in brackets unless it binds as tightly as a name does."""
    text = scope.file.text(node)
    loose = isinstance(node, _LOOSE) or (isinstance(node, ast.Tuple) and not text.startswith("("))
    return f"({text})" if loose else text


def negated(scope: Scope, node: ast.expr) -> str:
    """A condition's text, negated. Comparisons of one step and `not` keep their natural form."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return scope.file.source[scope.file.start(node) + len("not") : scope.file.end(node)].strip()
    if isinstance(node, (ast.Compare, ast.Await)):
        return f"not {scope.file.text(node)}"
    return f"not {bracketed(scope, node)}"


def binary_token(scope: Scope, node: ast.BinOp) -> tuple[int, int] | None:
    """Where a binary operation's symbol stands; None where a comment is in the way."""
    found = _between(scope, node.left, node.right, _BINARY_TOKEN)
    return found if found and scope.file.source[found[0] : found[1]] == BINARY[type(node.op)] else None


def comparison_tokens(scope: Scope, node: ast.Compare) -> Iterator[tuple[ast.cmpop, int, int]]:
    """Each comparison operator of a chain with its span."""
    operands = [node.left, *node.comparators]
    for op, left, right in zip(node.ops, operands, operands[1:], strict=False):
        found = _between(scope, left, right, _COMPARISON_TOKEN)
        if found and scope.file.source[found[0] : found[1]].split() == COMPARISON[type(op)].split():
            yield op, *found


def boolean_tokens(scope: Scope, node: ast.BoolOp) -> Iterator[tuple[int, int]]:
    """Spans of each `and` or `or` of a chain."""
    for left, right in zip(node.values, node.values[1:], strict=False):
        found = _between(scope, left, right, _BOOLEAN_TOKEN)
        if found:
            yield found


def _between(scope: Scope, left: ast.expr, right: ast.expr, token: re.Pattern[str]) -> tuple[int, int] | None:
    start, end = scope.file.end(left), scope.file.start(right)
    gap = scope.file.source[start:end]
    match = None if "#" in gap else token.search(gap)
    return (start + match.start(), start + match.end()) if match else None


def operand_texts(scope: Scope, node: ast.BinOp) -> tuple[str, str] | None:
    """Both operands of a binary operation as written, their brackets included."""
    token = binary_token(scope, node)
    if not token:
        return None
    source = scope.file.source
    return source[scope.file.start(node) : token[0]].rstrip(), source[token[1] : scope.file.end(node)].lstrip()


def is_number(node: ast.AST) -> bool:
    """An integer or float literal, truth values aside."""
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def is_text(node: ast.AST) -> bool:
    """A string literal, formatted or not, or bytes."""
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)))


def integer_like(scope: Scope, node: ast.Constant, value: int) -> str:
    """A new integer in the base in which the old one was written."""
    text = scope.file.text(node).lower()
    formats = {"0x": hex, "0o": oct, "0b": bin}
    return formats.get(text[:2], str)(value)


def called_name(node: ast.Call) -> str:
    """Last name of what is called: `c` for `a.b.c()`; empty if it has none."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def arguments(node: ast.Call | ast.ClassDef) -> list[ast.expr | ast.keyword]:
    """Positional and keyword arguments, or a class's bases and keywords, in order of position."""
    positional = node.args if isinstance(node, ast.Call) else node.bases
    return sorted([*positional, *node.keywords], key=lambda each: (each.lineno, each.col_offset))


def argument_removal(scope: Scope, items: Sequence[ast.expr | ast.keyword], index: int) -> tuple[Edit, ...]:
    """The edit that takes one item, and one comma, out of a comma-separated list."""
    file = scope.file
    start, end = file.start(items[index]), file.end(items[index])
    if index + 1 < len(items):
        return (Edit(start, file.start(items[index + 1]), ""),)
    if not index:
        return (Edit(start, end, ""),)
    comma = file.source.rfind(",", file.end(items[index - 1]), start)
    return (Edit(comma, end, ""),) if comma >= 0 else ()


def own_lines(scope: Scope, statement: ast.stmt | ast.excepthandler) -> tuple[int, int] | None:
    """Span of the whole lines of a statement, line end included; None if it shares a line with other code."""
    file = scope.file
    start, end = file.start(statement), file.end(statement)
    assert statement.end_lineno is not None
    last = file.line_end(statement.end_lineno)
    first = file.source.rfind("\n", 0, start) + 1
    behind = file.source[end:last].strip()
    if file.source[first:start].strip() or (behind and not behind.startswith("#")):
        return None
    return first, last


def statement_text(scope: Scope, statement: ast.stmt) -> tuple[int, int] | None:
    """Span from a statement's first character to its last line's end, comment included, line end not."""
    lines = own_lines(scope, statement)
    if not lines:
        return None
    start = scope.file.start(statement)
    return start, start + len(scope.file.source[start : lines[1]].rstrip("\r\n"))


def removal(scope: Scope, statement: ast.stmt) -> Edit:
    """The edit that takes a statement out; `pass` stands in where its block or line would be empty."""
    lines = own_lines(scope, statement)
    if lines and len(scope.block(statement)) > 1:
        return Edit(*lines, "")
    return Edit(scope.file.start(statement), scope.file.end(statement), "pass")


def block_span(scope: Scope, block: Sequence[ast.stmt]) -> tuple[int, int]:
    """Span of a block's statements, the white space and comments around them not included."""
    return scope.file.start(block[0]), scope.file.end(block[-1])


def else_line(scope: Scope, before: ast.stmt | ast.excepthandler, block: Sequence[ast.stmt]) -> int | None:
    """Where the line of the `else:` between two blocks begins; None if it is an `elif` or shares its line."""
    start, end = scope.file.end(before), scope.file.start(block[0])
    match = _ELSE.search(scope.file.source[start:end])
    return start + match.start() if match else None


def blocks(scope: Scope) -> Iterator[list[ast.stmt]]:
    """Every list of statements of the entity, its own body first."""
    yield scope.node.body
    kinds = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.ExceptHandler)
    for node in scope.find(*kinds):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if block:
                yield block


def always_leaves(statement: ast.stmt) -> bool:
    """Control never reaches what stands behind this statement."""
    if isinstance(statement, LEAVES):
        return True
    if isinstance(statement, ast.If):
        return bool(statement.orelse) and always_leaves(statement.body[-1]) and always_leaves(statement.orelse[-1])
    if isinstance(statement, (ast.With, ast.AsyncWith)):
        return always_leaves(statement.body[-1])
    if isinstance(statement, ast.Try):
        return all(always_leaves(each.body[-1]) for each in statement.handlers) and always_leaves(
            (statement.orelse or statement.body)[-1]
        )
    endless = isinstance(statement, ast.While) and isinstance(statement.test, ast.Constant) and statement.test.value
    return bool(endless) and not any(isinstance(each, ast.Break) for each in ast.walk(statement))


def is_named(node: ast.AST, *names: str) -> bool:
    """The node is a plain name, one of these."""
    return isinstance(node, ast.Name) and node.id in names
