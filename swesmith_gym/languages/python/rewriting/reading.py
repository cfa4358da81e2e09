"""What somebody wrote in place of an entity: judged strictly, then put in. Never run.

It has to be that one definition and nothing else: what stands beside it would be a change outside of the entity.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile

from swesmith_gym.languages.python.entities.scopes import Definition
from swesmith_gym.languages.python.rewriting.layout import BOM, DEFINED, Layout, layout_of, own_body, rows_of
from swesmith_gym.languages.python.rewriting.placing import definition, pairs, placed, same_head
from swesmith_gym.languages.python.rewriting.views import scope_of
from swesmith_gym.languages.rewriting import Rewriting
from swesmith_gym.records import CodeEntity

MOST_CHARS = 100_000
"""Of an answer that is looked at."""
_STARTS = re.compile(r"[ \t]*(?:@\w|(?:async[ \t]+)?def[ \t]+\w|class[ \t]+\w)")
_IMPORT = re.compile(r"[ \t]*(?:from[ \t]+[\w.]+[ \t]+import\b|import[ \t]+\w+)")
_CODE_ROW = re.compile(r"if[ \t]+__name__|[\w.\[\]]+[ \t]*=[^=]|[\w.]+\(")
_CLOSES = re.compile(r"[)\]}#]")


def rewritten(source: str, entity: CodeEntity, code: str, *, same_call: bool = False) -> Rewriting:
    """See `Language.rewritten`."""
    if len(code) > MOST_CHARS:
        return Rewriting("", "too_large", f"an answer of {len(code)} characters")
    layout, scope = layout_of(source), scope_of(source, entity)
    try:
        made = Layout(_at_the_edge(code.replace(BOM, "")))
    except SyntaxError as error:
        if not any(_STARTS.match(row) for row in rows_of(code)):
            return Rewriting("", "no_code", "no definition in the answer")
        return Rewriting("", "syntax_error", _told(error))
    try:
        reason, detail = _fault(scope.node, made, same_call)
        if reason:
            return Rewriting("", reason, detail)
        after, written = placed(layout, scope, made)
        return Rewriting(after, prose=tuple(_new_prose(layout, scope.node, written)))
    except SyntaxError as error:
        return Rewriting("", "syntax_error", _told(error))


def code_in(text: str) -> str:
    """See `Language.code_in`."""
    rows = [row.rstrip("\r\n") for row in rows_of(text)]
    if not any(map(_STARTS.match, rows)):
        return ""
    start = next(at for at, row in enumerate(rows) if _STARTS.match(row) or _IMPORT.match(row))
    edge = len(rows[start]) - len(rows[start].lstrip())
    found = [rows[start], *takewhile(lambda row: _goes_on(row, edge), rows[start + 1 :])]
    return "\n".join([*found, ""])


def _goes_on(row: str, edge: int) -> bool:
    """The row can belong to code that stands `edge` characters from the left."""
    if not row.strip() or row[: edge + 1].isspace():
        return True
    rest = row[edge:]
    return not row[:edge].strip() and any(each.match(rest) for each in (_STARTS, _IMPORT, _CODE_ROW, _CLOSES))


def _at_the_edge(code: str) -> str:
    """The text with its first row at the left edge; values of strings stay as they are. Raises: SyntaxError."""
    rows = [row.rstrip("\r\n") for row in rows_of(code)]
    first = next((row for row in rows if row.strip()), "")
    indent = first[: len(first) - len(first.lstrip(" \t"))]
    if not indent:
        return code
    inside = Layout("\n".join(["if 1:", *rows, ""])).fixed
    return "\n".join(row if at in inside else row.removeprefix(indent) for at, row in enumerate(rows, 2))


def _fault(old: Definition, made: Layout, same_call: bool) -> tuple[str, str]:
    """(reason, detail) why a text is not that entity; empty where it is."""
    body = made.tree.body
    if not body:
        return "no_code", "nothing but comments in the answer"
    found = [each for each in body if isinstance(each, DEFINED) and each.name == old.name]
    if len(found) != 1 or len(body) != 1:
        others = next((each for each in body if each not in found), None)
        what = f"line {others.lineno} is no part of {old.name}" if others else f"{len(found)} definitions of {old.name}"
        return "outside_entity", what if found else f"no definition of {old.name} alone"
    new = found[0]
    if type(new) is not type(old):
        return "outside_entity", f"{old.name} is of another kind ({_kind(new)} in place of {_kind(old)})"
    if same_call and not same_head(old, new):
        return "outside_entity", f"{old.name} has another signature or other decorators"
    return _hollow(old, new)


def _kind(node: Definition) -> str:
    return {ast.FunctionDef: "function", ast.AsyncFunctionDef: "async function"}.get(type(node), "class")


def _hollow(old: Definition, new: Definition) -> tuple[str, str]:
    """A body, or a part of one, that was left out."""
    for one, other in pairs(old, new):
        if all(map(_is_stub, own_body(other))) and not all(map(_is_stub, own_body(one))):
            return "placeholder", f"{other.name} has no body"
        gone = _members(one) - _members(other)
        if gone and isinstance(old, ast.ClassDef):
            return "placeholder", f"{other.name} lacks {', '.join(sorted(gone)[:5])}"
    if _dots(new) > _dots(old):
        return "placeholder", "dots in place of code"
    return "", ""


def _is_stub(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise):
        raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _members(node: Definition) -> set[str]:
    return {each.name for each in node.body if isinstance(each, DEFINED)} if isinstance(node, ast.ClassDef) else set()


def _dots(node: Definition) -> int:
    return sum(
        isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) and each.value.value is ...
        for each in ast.walk(node)
    )


def _new_prose(layout: Layout, old: Definition, made: Layout) -> Iterator[str]:
    """Comments and bare strings that were not there before."""
    known = Counter(_prose(layout, old))
    for text in _prose(made, definition(made)):
        if known[text]:
            known[text] -= 1
        else:
            yield text


def _prose(layout: Layout, node: Definition) -> Iterator[str]:
    first, last = layout.first_row(node), node.end_lineno or node.lineno
    yield from (text.strip() for row, text in layout.comments if first <= row <= last)
    for each in ast.walk(node):
        if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) and isinstance(each.value.value, str):
            yield " ".join(each.value.value.split())


def _told(error: SyntaxError) -> str:
    return f"line {error.lineno}: {error.msg}" if error.lineno else str(error.msg or "unreadable")[:200]
