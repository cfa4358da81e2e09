"""Whether two texts certainly behave alike, and whether a text compiles at all.

Alike means: the same byte code once positions, line numbers and docstrings are left out. Only the innermost function
or class around the change is compiled, so that the question costs as much as that entity and not as its file.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from types import CodeType

from swesmith_gym.diff import changed_span
from swesmith_gym.languages.python.entities import Scope, SourceFile, scopes
from swesmith_gym.languages.python.parsing import compiled, parse


def syntax_error(source: str) -> str:
    """Why the text does not compile, with its line; empty where it does."""
    try:
        compiled(SourceFile(source).tree)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}" if error.lineno else str(error.msg)
    return ""


def equivalent(before: str, after: str) -> bool:
    """The two texts certainly behave alike. False where either of them does not compile."""
    if before == after:
        return True
    start, end, new_end = changed_span(before, after)
    try:
        around = [scope for scope in scopes(before) if scope.span[0] <= start and end <= scope.span[1]]
    except SyntaxError:
        return False
    for scope in reversed(around):
        first, last = scope.span
        changed = after[first : last + new_end - end]
        answer = snippet_equivalent(scope, changed)
        if answer is not None:
            return answer
    old, new = code_of(before.removeprefix("\ufeff")), code_of(after.removeprefix("\ufeff"))
    return old is not None and old == new


def snippet_equivalent(scope: Scope, changed: str) -> bool | None:
    """As `equivalent`, for the new text of one entity's lines. None: it cannot be compiled on its own."""
    first, last = scope.span
    old = _snippet_code(scope.file.source[first:last], scope.file.future_flags)
    if old is None:
        return None
    new = _snippet_code(changed, scope.file.future_flags)
    return new is not None and old == new


def snippet_compiles(scope: Scope, changed: str) -> bool:
    """The file compiles with this new text in place of the entity's lines."""
    if _snippet_code(changed, scope.file.future_flags) is not None:
        return True
    first, last = scope.span
    source = scope.file.source
    if _snippet_code(source[first:last], scope.file.future_flags) is not None:
        return False
    return not syntax_error(source[:first] + changed + source[last:])


def _snippet_code(text: str, flags: int) -> CodeType | None:
    return code_of("if 1:\n" + text if text[:1] in " \t\f" else text, flags)


@lru_cache(maxsize=256)
def code_of(text: str, flags: int = 0) -> CodeType | None:
    """Byte code without positions and docstrings; None where the text does not compile."""
    try:
        tree = parse(text)
        _level(tree)
        code = compiled(tree, flags)
    except SyntaxError:
        return None
    return _bare(code)


def _level(tree: ast.Module) -> None:
    """Put every node on one line and take docstrings out: the compiler leaves marks for both."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if type(node) in _DOCUMENTED:
            _drop_docstring(node.body)  # type: ignore[attr-defined]
        if node._attributes:
            node.__dict__.update(_ON_ONE_LINE)
        for value in node.__dict__.values():
            kind = type(value)
            if kind is list:
                stack += [each for each in value if isinstance(each, ast.AST)]
            elif kind not in _PLAIN and isinstance(value, ast.AST) and value._fields:
                stack.append(value)


_DOCUMENTED = frozenset({ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef})
_ON_ONE_LINE = {"lineno": 1, "end_lineno": 1, "col_offset": 0, "end_col_offset": 0}
_PLAIN = frozenset({str, int, type(None), ast.Load, ast.Store})
"""Types of most values in a tree, below which there is nothing."""


def _drop_docstring(body: list[ast.stmt]) -> None:
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        body[:1] = [] if len(body) > 1 else [ast.Pass(lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)]


def _bare(code: CodeType) -> CodeType:
    constants = tuple(_bare(each) if isinstance(each, CodeType) else each for each in code.co_consts)
    return code.replace(co_firstlineno=1, co_linetable=b"", co_filename="", co_consts=constants)
