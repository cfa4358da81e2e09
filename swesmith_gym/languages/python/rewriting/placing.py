"""A rewritten definition in the place of the one that it stands for, with as little changed as can be.

Rows that are as they were shown go back as they were, byte for byte. Heads and documentation that say the same (or were
left out) are the file's own. Other rows get the file's indentation and line ends. Whatever comes of it is compared as
a tree with what was asked for, and with the rest of the file.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import SequenceMatcher

from swesmith_gym.languages.python.entities import Scope, SourceFile
from swesmith_gym.languages.python.entities.scopes import Definition
from swesmith_gym.languages.python.rewriting.layout import DEFINED, Layout, own_body, shape
from swesmith_gym.languages.python.rewriting.views import level

MOST_COMPARED = 4_000_000
"""Pairs of rows: beyond, rows are not looked for one by one."""
_SPACE = " \t\f"


def placed(layout: Layout, scope: Scope, made: Layout) -> tuple[str, Layout]:
    """The file with one definition at the left edge in place of an entity; that definition as it stands there.

    Raises: SyntaxError (it does not fit there).
    """
    wanted = shape(definition(made), bare=True)
    for alike in (True, False):
        written = _polished(layout, scope, made) if alike else made
        source = _put(layout, scope, written, alike)
        if _fits(scope, wanted, source):
            return source, written
    raise SyntaxError("the code does not fit into its place in the file")


def same_head(old: Definition, new: Definition) -> bool:
    """Two definitions are called or inherited alike; annotations and documentation may differ, and decorators may have
    been left out."""
    if new.decorator_list and shape(old.decorator_list) != shape(new.decorator_list):
        return False
    return _same_signature(old, new)


def _same_signature(old: Definition, new: Definition) -> bool:
    """Parameters by name, kind and default; of classes, bases and keywords."""
    if type(old) is not type(new):
        return False
    if isinstance(old, ast.ClassDef) or isinstance(new, ast.ClassDef):
        return all(shape(getattr(old, each, None)) == shape(getattr(new, each, None)) for each in ("bases", "keywords"))
    return bool(shape(old.args, bare=True) == shape(new.args, bare=True))


def pairs(old: Definition, new: Definition) -> Iterator[tuple[Definition, Definition]]:
    """The two, and what bears the same name in both; of classes, their members."""
    yield old, new
    if isinstance(old, ast.ClassDef) and isinstance(new, ast.ClassDef):
        waiting = [each for each in old.body if isinstance(each, DEFINED)]
        for each in new.body:
            if not isinstance(each, DEFINED):
                continue
            match = next((one for one in waiting if one.name == each.name and type(one) is type(each)), None)
            if match:
                waiting.remove(match)
                yield from pairs(match, each)


def definition(layout: Layout) -> Definition:
    """The first one of a text that begins with it."""
    found = layout.tree.body[0]
    assert isinstance(found, DEFINED)
    return found


def _polished(layout: Layout, scope: Scope, made: Layout) -> Layout:
    """The reply with the file's way of indenting, heads and documentation. Raises: SyntaxError."""
    steps = _unit(layout, scope.node), _unit(made, definition(made))
    if all(steps) and steps[0] != steps[1]:
        made = Layout(_indented_by(made, steps[1], steps[0]))
    rows = list(made.rows)
    for old, new in sorted(pairs(scope.node, definition(made)), key=lambda pair: pair[1].lineno, reverse=True):
        _restore_head(layout, scope, made, old, new, rows)
    try:
        return Layout("\n".join([*rows, ""]))
    except SyntaxError:
        return made


def _unit(layout: Layout, node: Definition) -> str:
    """White space that a body has more than its head; empty where that cannot be told."""
    body = own_body(node)
    if not body or body[0].lineno <= layout.head_end(node) or layout.column(node.body[0]) == 0:
        return ""
    outer, inner = layout.indent(layout.first_row(node)), layout.indent(node.body[0].lineno)
    return inner.removeprefix(outer) if inner.startswith(outer) else ""


def _indented_by(layout: Layout, old: str, new: str) -> str:
    rows = []
    for number, text in enumerate(layout.rows, 1):
        count, rest = 0, text
        while number not in layout.fixed and rest.startswith(old):
            count, rest = count + 1, rest[len(old) :]
        rows.append(new * count + rest)
    return "\n".join([*rows, ""])


def _restore_head(
    layout: Layout, scope: Scope, made: Layout, old: Definition, new: Definition, rows: list[str]
) -> None:
    """Put the file's own head in; the rows of `made` below it have not moved yet."""
    body, old_body = own_body(new), own_body(old)
    end = layout.head_end(old)
    if not body or not same_head(old, new) or (old_body and old_body[0].lineno <= end):
        return
    first, last = layout.first_row(old), made.head_end(new)
    wanted = ((row, layout.rows[row - 1]) for row in range(first, end + 1))
    head = [text for _, text in level(layout, wanted, scope.node)]
    start = body[0].lineno
    if start <= last:
        step = _unit(layout, old) or "    "
        after = rows[start - 1][made.column(body[0]) :]
        rows[made.first_row(new) - 1 : start] = [*head, made.indent(made.first_row(new)) + step + after]
    else:
        rows[made.first_row(new) - 1 : last] = head


def _put(layout: Layout, scope: Scope, made: Layout, alike: bool) -> str:
    """The whole file. `alike`: rows that are as they were shown are taken from it."""
    first, last = layout.first_row(scope.node), scope.lines[1]
    node = definition(made)
    indent = layout.indent(first)
    new = [made.rows[row - 1] for row in range(made.first_row(node), (node.end_lineno or 0) + 1)]
    rows = []
    for number, text in enumerate(new, made.first_row(node)):
        kept = number in made.fixed or not text.strip(_SPACE)
        rows.append((text if kept else indent + text) + layout.file.newline)
    if alike:
        shown = level(layout, ((row, layout.rows[row - 1]) for row in range(first, last + 1)), scope.node)
        for row, taken in _common([text for _, text in shown], new):
            rows[row] = layout.raw[first - 1 + taken]
    ends = rows[-1].rstrip("\r\n") + layout.raw[last - 1][len(layout.rows[last - 1]) :]
    whole = [row if row.endswith(("\n", "\r")) else row + layout.file.newline for row in rows[:-1]]
    return layout.bom + "".join([*layout.raw[: first - 1], *whole, ends, *layout.raw[last:]])


def _common(shown: list[str], new: list[str]) -> Iterator[tuple[int, int]]:
    """(row of the new text, row of the shown one) that are the same, in order."""
    if len(shown) * len(new) > MOST_COMPARED:
        return
    for start, at, size in SequenceMatcher(None, shown, new, autojunk=False).get_matching_blocks():
        yield from ((at + step, start + step) for step in range(size))


def _fits(scope: Scope, wanted: object, source: str) -> bool:
    """The file holds what is wanted from where the entity began to where it ended, so that all else is as it was."""
    end = len(source) - (len(scope.file.source) - scope.span[1])
    try:
        file = SourceFile(source)
        found = _like(file.tree, scope.node)
        if found is None or found.end_lineno is None or file.line_end(found.end_lineno) != end:
            return False
        return bool(shape(found, bare=True) == wanted)
    except SyntaxError:
        return False


def _like(tree: ast.AST, node: Definition) -> Definition | None:
    """The definition that begins where a node began in another text, decorators counted or not."""
    first = min(each.lineno for each in (node, *node.decorator_list))
    for each in ast.walk(tree):
        if isinstance(each, DEFINED) and each.name == node.name:
            starts = [one.lineno for one in (each, *each.decorator_list)]
            if min(starts) == first and each.col_offset == node.col_offset:
                return each
    return None
