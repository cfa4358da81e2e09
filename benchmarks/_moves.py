"""Rewritings that move code: to another place in the module, to a helper, to a new module. Not a benchmark."""

from __future__ import annotations

import ast
import builtins
import posixpath
import random
import sys
from collections.abc import Sequence

from _source import (
    COMPREHENSIONS,
    SCOPES,
    Edit,
    Function,
    Rewritten,
    Source,
    local_names,
    outer_names,
    peeks,
    returns,
    value_span,
)


def imports_reordered(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    del lines
    pairs = [
        pair
        for pair in zip(source.tree.body, source.tree.body[1:], strict=False)
        if all(_is_standard(each) and source.own_line(each) for each in pair)
    ]
    return _exchanged(source, *rng.choice(pairs)) if pairs else None


def _is_standard(node: ast.stmt) -> bool:
    match node:
        case ast.Import(names=names):
            found = {alias.name.partition(".")[0] for alias in names}
        case ast.ImportFrom(module=str(name), level=0):
            found = {name.partition(".")[0]}
        case _:
            return False
    return found <= sys.stdlib_module_names - {"__future__"}


def functions_reordered(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    del lines
    pairs = [
        pair
        for pair in zip(source.tree.body, source.tree.body[1:], strict=False)
        if all(isinstance(each, Function) and not each.decorator_list and source.own_line(each) for each in pair)
        and not _named_by(pair[1]) & {pair[0].name}  # type: ignore[attr-defined]
    ]
    return _exchanged(source, *rng.choice(pairs)) if pairs else None


def _named_by(function: ast.stmt) -> set[str]:
    """Names that are looked up when the function is defined."""
    parts = [function.args, *([function.returns] if function.returns else [])]  # type: ignore[attr-defined]
    return {node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)}


def _exchanged(source: Source, first: ast.stmt, second: ast.stmt) -> Rewritten:
    return Rewritten(
        [
            Edit(source.start(first), source.end(first), source.of(second)),
            Edit(source.start(second), source.end(second), source.of(first)),
        ]
    )


def helper_in_module(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    for function in source.functions(lines):
        for node in rng.sample(found := returns(source, function), len(found)):
            top = next((n for n in source.tree.body if n.lineno <= node.lineno <= (n.end_lineno or 0)), None)
            parameters = _parameters(source, function, node, builtin_only=False)
            if parameters is None or not isinstance(top, (*SCOPES[:3],)) or not source.own_line(top):
                continue
            name = source.fresh("_answer_of")
            first = min([top.lineno, *(d.lineno for d in top.decorator_list)])
            at = source.line(first)
            return Rewritten(
                [Edit(at, at, _helper(source, node, name, parameters) + b"\n\n"), _call(source, node, name, parameters)]
            )
    return None


def helper_in_new_module(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    """The fixed module imports what a new private module beside it holds."""
    folder, module = posixpath.split(source.path)
    for function in source.functions(lines):
        for node in rng.sample(found := returns(source, function), len(found)):
            parameters = _parameters(source, function, node, builtin_only=True)
            if parameters is None:
                continue
            name = source.fresh("answer_of")
            stem = f"_{module.removesuffix('.py').strip('_')}_support"
            place = source.line(function.body[0].lineno)
            relative = b"." if folder else b""
            imported = b"from " + relative + stem.encode() + b" import " + name.encode()
            if not source.own_line(function.body[0]) or ast.get_docstring(function):
                at, text = _behind_imports(source), imported + b"\n"
            else:
                at, text = place, source.indent(function.body[0]) + imported + b"\n"
            text_of = b'"""What the fix needs."""\n\n\n' + _helper(source, node, name, parameters)
            return Rewritten(
                [Edit(at, at, text), _call(source, node, name, parameters)],
                {posixpath.join(folder, f"{stem}.py"): text_of},
            )
    return None


def _behind_imports(source: Source) -> int:
    """Where an import may stand: behind the docstring and what has to come first."""
    last = 0
    for node in source.tree.body:
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not text and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        last = node.end_lineno or 0
    return source.line(last + 1)


def _parameters(source: Source, function: Function, node: ast.Return, *, builtin_only: bool) -> list[str] | None:
    """The local variables that a returned expression reads, None where it cannot be moved into another function."""
    assert node.value is not None
    parts = list(ast.walk(node.value))
    heavy = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, *SCOPES, *COMPREHENSIONS)
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    private = any(isinstance(p, ast.Attribute) and p.attr.startswith("__") and not p.attr.endswith("__") for p in parts)
    if any(isinstance(part, heavy) for part in parts) or private or peeks(node.value) or "__class__" in names:
        return None
    begin, end = value_span(source, node)
    if (
        isinstance(node.value, ast.Starred)
        or any(isinstance(part, ast.JoinedStr) for part in parts)
        or b"#" in source.text[begin:end]
    ):
        return None
    local = local_names(function)
    for outer in ast.walk(source.tree):  # what functions around it bind cannot be told from globals by a name
        if isinstance(outer, Function) and outer is not function and function in set(ast.walk(outer)):
            return None
    arguments = {a.arg for a in ast.walk(function.args) if isinstance(a, ast.arg)}
    if any(isinstance(part, ast.IfExp | ast.BoolOp) for part in parts) and (names & local) - arguments:
        return None  # a variable that is read only sometimes may have no value
    rest = names - local
    if names & outer_names(function) or (builtin_only and not all(hasattr(builtins, name) for name in rest)):
        return None
    if builtin_only and rest & _bound_at_top(source):
        return None
    return sorted(names & local)


def _bound_at_top(source: Source) -> set[str]:
    """Names that the module gives a meaning of its own, star imports aside."""
    found: set[str] = set()
    for node in ast.walk(source.tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.alias(name=name, asname=other):
                found.add(other or name)
    return found


def _helper(source: Source, node: ast.Return, name: str, parameters: Sequence[str]) -> bytes:
    begin, end = value_span(source, node)
    value = source.text[begin:end]
    return f"def {name}({', '.join(parameters)}):\n    return (".encode() + value + b")\n"


def _call(source: Source, node: ast.Return, name: str, parameters: Sequence[str]) -> Edit:
    return Edit(*value_span(source, node), f"{name}({', '.join(parameters)})".encode())
