"""A readable reproduction made from a test's source."""

from __future__ import annotations

import ast
import textwrap

from swesmith_gym.languages.base import FailureSummary, Files
from swesmith_gym.languages.python.parsing import literal
from swesmith_gym.languages.python.testing.cut import first_line
from swesmith_gym.languages.python.testing.definitions import Index
from swesmith_gym.languages.python.testing.scopes import Function, Module

MAX_LINES = 40
"""Longest body that is shown whole."""
HEAD_LINES = 12
"""Of a longer one, lines from its start; the rest of MAX_LINES comes from its end."""
HELPER_LINES = 16
HELPER_CHARS = 1500
"""Longest helper that is shown whole, and characters of all helpers after which no other is."""
MAX_VALUE = 100
"""Characters of a value that is no source text."""


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
    shown = _shown(node, lines, summary.line)
    names = {part.id for statement in shown for part in ast.walk(statement) if isinstance(part, ast.Name)}
    helpers, used = _helpers(module, lines, names, len(definition.names) == 1)
    code = _code(node, lines, shown, dict(summary.values), names)
    parts = ["\n".join(_imports(module, used)), *helpers, "\n".join(code)]
    return "\n\n".join(part for part in parts if part).rstrip()


def _code(node: Function, lines: list[str], shown: list[ast.stmt], given: dict[str, str], used: set[str]) -> list[str]:
    """The test's body as a script where all that it takes can be written down; else as the function that it is."""
    parameters = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    needed = [name for name in parameters if name in used]
    body = _body(node, lines, shown)
    if isinstance(node, ast.FunctionDef) and all(_is_source(given.get(name, "")) for name in needed):
        values = [f"{name} = {given[name]}" for name in needed]
        return [*values, *_shortened(textwrap.dedent("\n".join(body)).splitlines())]
    values = [f"# {name} = {given[name][:MAX_VALUE]}" for name in needed if name in given]
    header = textwrap.dedent("\n".join(lines[node.lineno - 1 : node.body[0].lineno - 1])).splitlines()
    inside = textwrap.indent(textwrap.dedent("\n".join(_shortened(body))), "    ").splitlines()
    return [*values, *(header or [f"def {node.name}({ast.unparse(node.args)}):"]), *inside]


def _shown(node: Function, lines: list[str], text: str) -> list[ast.stmt]:
    """Statements of the body, the docstring aside, up to the one that holds the line that failed; all if unknown."""
    skipped = 1 if ast.get_docstring(node, clean=False) is not None and len(node.body) > 1 else 0
    statements = node.body[skipped:]
    for number, statement in enumerate(statements):
        span = lines[first_line(statement) - 1 : statement.end_lineno]
        if text and any(line.strip() == text for line in span):
            return statements[: number + 1]
    return statements


def _body(node: Function, lines: list[str], shown: list[ast.stmt]) -> list[str]:
    if shown[0].lineno == node.lineno:
        return [ast.unparse(statement) for statement in shown]
    return lines[first_line(shown[0]) - 1 : shown[-1].end_lineno]


def _shortened(lines: list[str]) -> list[str]:
    if len(lines) <= MAX_LINES:
        return lines
    tail = lines[-(MAX_LINES - HEAD_LINES) :]
    indent = tail[0][: len(tail[0]) - len(tail[0].lstrip())]
    return [*lines[:HEAD_LINES], f"{indent}...", *tail]


def _is_source(value: str) -> bool:
    """The text of a value can be read back: it is a literal and was not shortened."""
    try:
        literal(value)
    except SyntaxError:
        return False
    return True


def _helpers(module: Module, lines: list[str], used: set[str], sibling: bool) -> tuple[list[str], set[str]]:
    """Definitions of the test's own file that it uses, short ones whole, of the others where they are; and all names
    in use. `sibling`: the test stands at the same level, so that other tests are not helpers."""
    blocks: dict[int, str] = {}
    waiting, known = set(used), set(used)
    while waiting:
        name = waiting.pop()
        for place in module.scope().places.get(name, [])[-1:]:
            start, end = first_line(place.statement), place.statement.end_lineno or 0
            if sibling and name.startswith("test"):
                continue
            if end - start < HELPER_LINES and sum(map(len, blocks.values())) < HELPER_CHARS:
                blocks[start] = "\n".join(lines[start - 1 : end])
                inner = {part.id for part in ast.walk(place.statement) if isinstance(part, ast.Name)} - known
                waiting |= inner
                known |= inner
            else:
                blocks[start] = f"# {name}: see {module.path}"
    return [blocks[start] for start in sorted(blocks)], known


def _imports(module: Module, used: set[str]) -> list[str]:
    """The module's absolute imports of names in use, one a line."""
    found: list[str] = []
    for statement in module.tree.body:
        chosen: ast.Import | ast.ImportFrom
        if isinstance(statement, ast.Import):
            chosen = ast.Import([a for a in statement.names if (a.asname or a.name.split(".")[0]) in used])
        elif isinstance(statement, ast.ImportFrom) and statement.level == 0 and statement.module != "__future__":
            names = [a for a in statement.names if (a.asname or a.name) in used]
            chosen = ast.ImportFrom(statement.module, names, 0)
        else:
            continue
        if chosen.names:
            found.append(ast.unparse(chosen))
    return found
