"""House rules that a machine can hold: sizes, docstrings, narrow excepts, no path of somebody's machine."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from import_graph import ROOT, modules, tree

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES_P90 = 35
MAX_FUNCTION_LINES = 80
# Folders of people and of build machines. `/home/agent` is the home inside of a sandbox.
_MACHINE = re.compile(r"(?<![\w.])/(?:home|Users)/(?!agent\b)\w+|(?<![\w.])/(?:root|work|mnt)/\w")
FILES = sorted(modules().values())


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions() -> list[tuple[str, int]]:
    """(place, lines from `def` to the end) of every function, without its docstring."""
    found = []
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = node.body[0]
                documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
                text = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
                found.append(
                    (f"{name(path)}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1 - text)
                )
    return found


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_is_short_and_says_what_it_is_for(path: Path) -> None:
    source = path.read_text("utf-8")
    assert source.count("\n") <= MAX_FILE_LINES
    assert ast.get_docstring(tree(path)), "no module docstring"


def test_functions_are_short() -> None:
    lengths = sorted(length for _, length in functions())
    assert lengths[int(len(lengths) * 0.9)] <= MAX_FUNCTION_LINES_P90
    assert not [place for place, length in functions() if length > MAX_FUNCTION_LINES]


def test_no_except_catches_everything() -> None:
    """Only one that raises again, after cleaning up, may, and one around code of others that says so in its line."""
    broad = [
        f"{name(path)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not isinstance(node.body[-1], ast.Raise)
        if "# noqa: BLE001 (foreign code: " not in path.read_text("utf-8").splitlines()[node.lineno - 1]
    ]
    assert not broad


def _is_broad(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(map(_is_broad, kind.elts))
    return kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException"))


def test_no_path_of_a_machine_is_written_down() -> None:
    texts = [*FILES, *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), ROOT / "Makefile", ROOT / "pyproject.toml"]
    wrong = [
        f"{name(path)}:{number} {found[0]}"
        for path in texts
        for number, line in enumerate(path.read_text("utf-8").split("\n"), 1)
        if (found := _MACHINE.search(line))
    ]
    assert not wrong
