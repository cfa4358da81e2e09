"""A readable reproduction made from a test's source."""

from __future__ import annotations

import ast
import textwrap

from swesmith_gym.languages.base import FailureSummary, Files
from swesmith_gym.languages.python.testing.cut import first_line
from swesmith_gym.languages.python.testing.definitions import Index
from swesmith_gym.languages.python.testing.scopes import Function, Module

MAX_LINES = 45
"""Longest body that is shown whole."""
HEAD_LINES = 12
"""Of a longer one, lines from its start; the rest of MAX_LINES comes from its end."""


def reproduction(files: Files, summary: FailureSummary) -> str:
    """See `Language.reproduction`."""
    index = Index(files)
    definition = index.resolve(summary.test_id)
    module = index.module(definition.path) if definition else None
    if definition is None or module is None:
        return ""
    found = [place.statement for place in module.places(definition.names)]
    node = found[-1] if found else None
    if not isinstance(node, Function):
        return ""
    lines = module.source.decode("utf-8", "replace").splitlines()
    last = _failing(node, lines, summary.line)
    given = dict(summary.values)
    parameters = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    body = _body(node, lines, last)
    if all(_is_source(given.get(name, "")) for name in parameters):
        values = [f"{name} = {given[name]}" for name in parameters]
        code = [*values, *_shortened(textwrap.dedent("\n".join(body)).splitlines())]
    else:
        values = [f"# {name} = {given[name]}" for name in parameters if name in given]
        header = textwrap.dedent("\n".join(lines[node.lineno - 1 : node.body[0].lineno - 1])).splitlines()
        inside = textwrap.indent(textwrap.dedent("\n".join(_shortened(body))), "    ").splitlines()
        code = [*values, *(header or [f"def {node.name}({ast.unparse(node.args)}):"]), *inside]
    imports = _imports(module, node)
    return "\n".join([*imports, *([""] if imports else []), *code]).rstrip()


def _failing(node: Function, lines: list[str], text: str) -> ast.stmt:
    """The statement of the test's own body that holds the line that failed; the last one where that is unknown."""
    for statement in node.body:
        span = lines[first_line(statement) - 1 : statement.end_lineno]
        if text and any(line.strip() == text for line in span):
            return statement
    return node.body[-1]


def _body(node: Function, lines: list[str], last: ast.stmt) -> list[str]:
    """Lines of the body from its first statement, the docstring aside, to `last`."""
    start = node.body[0]
    if ast.get_docstring(node, clean=False) is not None and len(node.body) > 1:
        start = node.body[1]
    if start.lineno == node.lineno:
        return [ast.unparse(statement) for statement in node.body]
    return lines[first_line(start) - 1 : last.end_lineno]


def _shortened(lines: list[str]) -> list[str]:
    if len(lines) <= MAX_LINES:
        return lines
    tail = lines[-(MAX_LINES - HEAD_LINES) :]
    indent = tail[0][: len(tail[0]) - len(tail[0].lstrip())]
    return [*lines[:HEAD_LINES], f"{indent}...", *tail]


def _is_source(value: str) -> bool:
    """The text of a value can be read back: it is a literal and was not shortened."""
    try:
        ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return False
    return True


def _imports(module: Module, node: Function) -> list[str]:
    """The module's absolute imports of names that the test uses, one a line."""
    used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    found: list[str] = []
    for statement in module.tree.body:
        if isinstance(statement, ast.Import):
            names = [a for a in statement.names if (a.asname or a.name.split(".")[0]) in used]
            chosen: ast.stmt = ast.Import(names)
        elif isinstance(statement, ast.ImportFrom) and statement.level == 0 and statement.module != "__future__":
            names = [a for a in statement.names if (a.asname or a.name) in used]
            chosen = ast.ImportFrom(statement.module, names, 0)
        else:
            continue
        if names:
            found.append(ast.unparse(chosen))
    return found
