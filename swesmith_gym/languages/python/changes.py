"""Which pieces of code two texts of a file differ in, so that only those who enter one of them can tell them apart.

A piece is a function, a class body or a module. Its own are its statements, lambdas and comprehensions included, and
the heads of the definitions in it: names, arguments, defaults, decorators, documentation. What is in those is theirs.
The place of a piece in its file is none of its properties.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from swesmith_gym.diff import changed_span
from swesmith_gym.languages.python.entities import Scope, scopes
from swesmith_gym.languages.python.entities.scopes import Definition
from swesmith_gym.languages.python.parsing import parse

_DEFINED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
MODULE = "0:<module>"


@lru_cache(maxsize=64)
def changed_code(path: str, before: str, after: str) -> frozenset[str] | None:
    """See `Language.changed_code`. Only the innermost definition around all changes is parsed anew, if its head is as
    it was."""
    if before == after:
        return frozenset()
    try:
        names = _within_one(before, after)
        if names is None:
            old, new = parse(before.removeprefix("\ufeff")), parse(after.removeprefix("\ufeff"))
            names = list(_differences(MODULE, old, new))
    except (SyntaxError, RecursionError):
        return None
    return frozenset(f"{path}:{name}" for name in names)


def _within_one(before: str, after: str) -> list[str] | None:
    """None: there is no definition that holds all changes, and has the same head."""
    start, end, new_end = changed_span(before, after)
    around = [scope for scope in scopes(before) if scope.span[0] <= start and end <= scope.span[1]]
    for scope in reversed(around):
        new = _alone(scope, after[scope.span[0] : scope.span[1] + new_end - end])
        if new is not None and _head(new) == _head(scope.node):
            return list(_differences(_name(scope.node), scope.node, new))
    return None


def _alone(scope: Scope, text: str) -> Definition | None:
    try:
        tree = parse("if 1:\n" + text if text[:1] in " \t\f" else text)
    except SyntaxError:
        return None
    body = tree.body
    if text[:1] in " \t\f":
        body = body[0].body if len(body) == 1 and isinstance(body[0], ast.If) and not body[0].orelse else []
    found = body[0] if len(body) == 1 else None
    return found if isinstance(found, _DEFINED) and type(found) is type(scope.node) else None


def _name(node: Definition) -> str:
    """As tracing names it: the line of the first decorator, if there is one."""
    first = node.decorator_list[0] if node.decorator_list else node
    return f"{first.lineno}:{node.name}"


def _differences(name: str, old: Definition | ast.Module, new: Definition | ast.Module) -> Iterator[str]:
    inner_old: list[Definition] = []
    inner_new: list[Definition] = []
    if _own(old, inner_old) != _own(new, inner_new):
        yield name
    others: dict[tuple[Any, ...], list[Definition]] = defaultdict(list)
    for each in reversed(inner_new):
        others[type(each), each.name].append(each)
    for each in inner_old:
        if same := others[type(each), each.name]:
            yield from _differences(_name(each), each, same.pop())


def _own(node: Definition | ast.Module, inner: list[Definition]) -> Any:
    """What a piece does; the definitions in it are added to `inner`."""
    body = node.body
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(node, clean=False) is not None:
        body = body[1:]
    return _shape(body, inner)


def _head(node: Definition) -> Any:
    fields = [getattr(node, field, None) for field in node._fields if field != "body"]
    told = None if isinstance(node, ast.ClassDef) else ast.get_docstring(node, clean=False)
    return type(node).__name__, told, _shape(fields, [])


def _shape(value: Any, inner: list[Definition]) -> Any:
    if isinstance(value, _DEFINED):
        inner.append(value)
        return _head(value)
    if isinstance(value, ast.AST):
        return type(value).__name__, *(_shape(getattr(value, field, None), inner) for field in value._fields)
    if isinstance(value, list):
        return tuple(_shape(each, inner) for each in value)
    return repr(value)
