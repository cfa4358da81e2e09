"""What is shown of a file: one entity alone or in its place, with bodies left out where they are not to be seen."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace

from swesmith_gym.languages.python.entities import Scope, scopes
from swesmith_gym.languages.python.entities.scopes import Definition
from swesmith_gym.languages.python.rewriting.layout import FUNCTIONS, Layout, layout_of, own_body
from swesmith_gym.records import CodeEntity

LEFT_OUT = "..."
Row = tuple[int, str]
"""Number of a row in its file, or 0: it stands for rows that were left out; its text."""


def rewritable(path: str, source: str) -> list[tuple[CodeEntity, int]]:
    """See `Language.rewritable`."""
    try:
        layout = layout_of(source)
        found = [scope for scope in scopes(source) if _stands_alone(layout, scope) and not _is_test(scope.node)]
        return [(replace(scope.entity, path=path), _code_rows(layout, scope.node)) for scope in found]
    except SyntaxError:
        return []


def entity_text(source: str, entity: CodeEntity, *, blanked: bool = False) -> str:
    """See `Language.entity_text`."""
    layout, scope = layout_of(source), scope_of(source, entity)
    return _joined(text for _, text in level(layout, _own_rows(layout, source, scope, blanked), scope.node))


def contexts(source: str, entity: CodeEntity, *, blanked: bool = False) -> tuple[str, ...]:
    """See `Language.contexts`."""
    layout, scope = layout_of(source), scope_of(source, entity)
    own = list(_blanks(layout, source, scope)) if blanked else []
    others = list(_elisions(layout, (each.node for each in _others(source, scope))))
    around = [each.node for each in scopes(source) if _holds(each, scope)]
    heads = [row for node in around for row in range(layout.first_row(node), layout.header_end(node) + 1)]
    alone = [*((row, layout.rows[row - 1]) for row in heads), *_own_rows(layout, source, scope, blanked)]
    texts = (
        _joined(text for _, text in _without(layout, own)),
        _joined(text for _, text in _without(layout, sorted([*own, *others]))),
        _joined(text for _, text in level(layout, alone, (around or [scope.node])[0])),
    )
    return tuple(dict.fromkeys(sorted(texts, key=len, reverse=True)))


def scope_of(source: str, entity: CodeEntity) -> Scope:
    """Raises: LookupError (the text has no such entity), SyntaxError."""
    for scope in scopes(source):
        if scope.name == entity.name and scope.entity.start == entity.start:
            return scope
    raise LookupError(f"{entity.path}: no {entity.name} in line {entity.start}")


def level(layout: Layout, rows: Iterable[Row], node: Definition) -> Iterator[Row]:
    """Rows of a definition as if it stood at the left edge; values of strings stay as they are."""
    indent = layout.indent(layout.first_row(node))
    for number, text in rows:
        if number in layout.fixed:
            yield number, text
        else:
            yield number, text.removeprefix(indent) if text.strip(" \t\f") else ""


def _own_rows(layout: Layout, source: str, scope: Scope, blanked: bool) -> list[Row]:
    first, last = layout.first_row(scope.node), scope.lines[1]
    cuts = list(_blanks(layout, source, scope)) if blanked else []
    return list(_without(layout, cuts, first, last))


def _blanks(layout: Layout, source: str, scope: Scope) -> Iterator[tuple[int, int, str]]:
    if isinstance(scope.node, ast.ClassDef):
        inner = (each.node for each in scopes(source) if _holds(scope, each) and isinstance(each.node, FUNCTIONS))
        return _elisions(layout, inner)
    return _elisions(layout, [scope.node])


def _elisions(layout: Layout, nodes: Iterable[Definition]) -> Iterator[tuple[int, int, str]]:
    """(first row, last row, what stands there instead) for bodies, in order, what lies in another one aside."""
    behind = 0
    for node in nodes:
        body = own_body(node)
        assert node.end_lineno is not None
        if not body or node.lineno <= behind:
            continue
        behind = node.end_lineno
        head, start = layout.head_end(node), body[0].lineno
        if start <= head:
            yield start, node.end_lineno, layout.rows[start - 1][: layout.column(body[0])] + LEFT_OUT
        else:
            yield head + 1, node.end_lineno, layout.indent(start) + LEFT_OUT


def _without(
    layout: Layout, cuts: Iterable[tuple[int, int, str]], first: int = 1, last: int | None = None
) -> Iterator[Row]:
    at = first
    for start, end, instead in cuts:
        yield from ((row, layout.rows[row - 1]) for row in range(at, start))
        yield 0, instead
        at = end + 1
    yield from ((row, layout.rows[row - 1]) for row in range(at, (last or len(layout.rows)) + 1))


def _others(source: str, scope: Scope) -> list[Scope]:
    """Functions that neither hold the entity nor lie in it."""
    found = [each for each in scopes(source) if isinstance(each.node, FUNCTIONS) and each is not scope]
    return [each for each in found if not _holds(each, scope) and not _holds(scope, each)]


def _holds(outer: Scope, inner: Scope) -> bool:
    return outer is not inner and outer.span[0] <= inner.span[0] and inner.span[1] <= outer.span[1]


def _joined(rows: Iterable[str]) -> str:
    return "\n".join([*rows, ""])


def _stands_alone(layout: Layout, scope: Scope) -> bool:
    """It begins in a row of its own, with nothing but white space in front."""
    row = layout.first_row(scope.node)
    before = layout.rows[row - 2] if row > 1 else ""
    text = layout.rows[row - 1].lstrip(" \t")
    return text.startswith(("def", "class", "async", "@")) and not before.endswith("\\")


def _is_test(node: Definition) -> bool:
    if isinstance(node, ast.ClassDef):
        return any(isinstance(each, FUNCTIONS) and _is_test(each) for each in node.body)
    return node.name.startswith("test_")


def _code_rows(layout: Layout, node: Definition) -> int:
    """Rows of the body with code in them."""
    body = own_body(node)
    if not body:
        return 0
    assert node.end_lineno is not None
    texts = (layout.rows[row - 1].strip() for row in range(body[0].lineno, node.end_lineno + 1))
    return sum(bool(text) and not text.startswith("#") for text in texts)
