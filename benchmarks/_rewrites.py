"""Ways of writing the same program otherwise: what makes many correct patches of one fix. Not a benchmark.

A rewriting takes a module and the numbers of the lines that the fix is on, and gives edits, or nothing where it does
not fit. The function around the fix comes first. New files go with the edits.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator, Sequence

from _layout import (
    byte_order_mark,
    carriage_returns,
    comments_added,
    docstring_added,
    lines_broken,
    no_last_line_end,
    spaces_at_line_ends,
)
from _moves import functions_reordered, helper_in_module, helper_in_new_module, imports_reordered
from _source import (
    SCOPES,
    Edit,
    Function,
    Rewritten,
    Source,
    outer_names,
    own,
    peeks,
    returns,
    value_span,
)

Rewrite = Callable[[Source, Sequence[int], random.Random], Rewritten | None]


def local_renamed(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    for function in source.functions(lines):
        inner = [
            node for node in ast.walk(function) if isinstance(node, (*SCOPES, ast.JoinedStr)) and node is not function
        ]
        if inner or peeks(function):
            continue
        names = _renamable(function)
        if names:
            old = rng.choice(sorted(names))
            new = source.fresh(f"{old.strip('_') or 'it'}_here").encode()
            found = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == old]
            return Rewritten([Edit(source.start(n), source.end(n), new) for n in found])
    return None


def _renamable(function: Function) -> set[str]:
    """Names that assignments and loops of the function bind, and nothing else does."""
    arguments = {a.arg for a in ast.walk(function.args) if isinstance(a, ast.arg)}
    stored = {n.id for n in own(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    other: set[str] = set(outer_names(function))
    for node in ast.walk(function):
        match node:
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                other.add(name)
            case ast.alias(name=name, asname=asname):
                other.add(asname or name.partition(".")[0])
    headers = [*function.decorator_list, function.args, *([function.returns] if function.returns else [])]
    outside = {n.id for part in headers for n in ast.walk(part) if isinstance(n, ast.Name)}
    return {name for name in stored - arguments - other - outside if not name.startswith("__")}


def local_extracted(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    for function in source.functions(lines):
        if found := returns(source, function):
            node = rng.choice(found)
            begin, end = value_span(source, node)
            name = source.fresh("outcome").encode()
            new = name + b" = " + source.text[begin:end] + b"\n" + source.indent(node) + b"return " + name
            return Rewritten([Edit(source.start(node), end, new)])
    return None


def branches_swapped(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    del rng
    for function in source.functions(lines):
        for node in own(function):
            if isinstance(node, ast.If) and (edits := _swap(source, node)):
                return Rewritten(edits)
    return None


def _swap(source: Source, node: ast.If) -> list[Edit]:
    if not node.orelse or source.text[source.start(node) :][:2] != b"if":
        return []
    if isinstance(node.orelse[0], ast.If) and node.orelse[0].col_offset == node.col_offset:
        return []
    if not all(source.own_line(each) for each in (*node.body, *node.orelse)):
        return []
    body, other = _block(source, node.body), _block(source, node.orelse)
    test = source.text[source.start(node) + 2 : source.text.rindex(b":", 0, body[0])]
    if b"\n" in test or b"#" in test:
        return []
    header = Edit(source.start(node) + 2, source.start(node) + 2 + len(test), b" not (" + test.strip() + b")")
    texts = [source.text[a:b] for a, b in (body, other)]
    if not all(text.endswith(b"\n") for text in texts):
        return []
    return [header, Edit(*body, texts[1]), Edit(*other, texts[0])]


def _block(source: Source, body: Sequence[ast.stmt]) -> tuple[int, int]:
    decorators = getattr(body[0], "decorator_list", [])
    first = min([body[0].lineno, *(d.lineno for d in decorators)])
    return source.line(first), source.line((body[-1].end_lineno or 0) + 1)


def conditional_inverted(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    del rng
    for node in _expressions(source, lines, ast.IfExp):
        assert isinstance(node, ast.IfExp)
        pieces = (node.orelse, node.test, node.body)
        other, test, body = (b"(" + source.of(piece) + b")" for piece in pieces)
        new = b"(" + other + b" if not " + test + b" else " + body + b")"
        return Rewritten([Edit(source.start(node), source.end(node), new)])
    return None


def comparison_rewritten(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    """`a not in b` becomes `not (a in b)`, `a is not b` becomes `not (a is b)`."""
    del rng
    for node in _expressions(source, lines, ast.Compare):
        assert isinstance(node, ast.Compare)
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.NotIn | ast.IsNot):
            word = b"in" if isinstance(node.ops[0], ast.NotIn) else b"is"
            left, right = source.of(node.left), source.of(node.comparators[0])
            new = b"(not ((" + left + b") " + word + b" (" + right + b")))"
            return Rewritten([Edit(source.start(node), source.end(node), new)])
    return None


def _expressions(source: Source, lines: Sequence[int], kind: type[ast.expr]) -> Iterator[ast.expr]:
    """Expressions of a kind, on one line each and in no f-string, whose places are not exact in every version."""
    for function in source.functions(lines):
        inside = {id(n) for f in ast.walk(function) if isinstance(f, ast.JoinedStr) for n in ast.walk(f)}
        for node in own(function):
            if isinstance(node, kind) and id(node) not in inside and node.lineno == node.end_lineno:
                yield node


def annotation_added(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    for function in source.functions(lines):
        outer = outer_names(function)
        found = [
            node.targets[0]
            for node in own(function)
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and source.own_line(node)
            if isinstance(node.targets[0], ast.Name) and node.targets[0].id not in outer
        ]
        if found:
            target = rng.choice(found)
            return Rewritten([Edit(source.end(target), source.end(target), b": object")])
    return None


def logging_added(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    del rng
    for function in source.functions(lines):
        first = function.body[-1]
        if source.own_line(first) and not isinstance(first, SCOPES):
            at = source.line(first.lineno)
            pad, module = source.indent(first), source.fresh("_logging").encode()
            text = (
                pad + b"import logging as " + module + b"\n\n" + pad + module + b'.getLogger(__name__).debug("here")\n'
            )
            return Rewritten([Edit(at, at, text)])
    return None


def unused_code_added(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    del lines, rng
    name = source.fresh("_left_over").encode()
    end = b"" if source.text.endswith(b"\n") else b"\n"
    text = end + b"\n\ndef " + name + b"(value):\n    # Not used any more.\n    return value\n"
    return Rewritten([Edit(len(source.text), len(source.text), text)])


REWRITES: tuple[Rewrite, ...] = (
    local_renamed,
    comments_added,
    docstring_added,
    lines_broken,
    local_extracted,
    branches_swapped,
    conditional_inverted,
    comparison_rewritten,
    annotation_added,
    imports_reordered,
    functions_reordered,
    helper_in_module,
    helper_in_new_module,
    logging_added,
    unused_code_added,
    carriage_returns,
    no_last_line_end,
    spaces_at_line_ends,
    byte_order_mark,
)
