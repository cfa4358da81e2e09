"""The code holds to docs/architecture.md: import direction, no cycles, nothing heavy loaded before it is used."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

from import_graph import PACKAGE, ROOT, area, imports, modules, tree

RUNNER = "swesmith_gym.languages.python.testing.runner.swesmith_gym_runner"
_PYTHON_ONLY = re.compile(r"\bpytest\b|\bconftest\b|\blibcst\b|\btox\.ini\b|\bsetup\.cfg\b")


@lru_cache(maxsize=1)
def table() -> dict[str, tuple[int, frozenset[str]]]:
    """Package -> (row, third parties that its modules may load), from the document."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|([^|]*)\|$", text, re.MULTILINE)
    return {
        name: (int(row), frozenset(third.replace(",", " ").split()))
        for row, names, third in rows
        for name in names.replace(",", " ").split()
    }


def test_the_document_names_every_package() -> None:
    assert {area(name) for name in modules()} - {""} <= set(table())


def test_imports_point_upwards_in_the_table() -> None:
    wrong = []
    for found in imports():
        if found.target.split(".")[0] != PACKAGE or found.source == PACKAGE:
            continue
        source, target = area(found.source), area(found.target)
        allowed = source == "cli" if not target else source == target or table()[target][0] < table()[source][0]
        if not allowed:
            wrong.append(f"{found.source}:{found.line} imports {found.target}")
    assert not wrong


def test_no_import_cycles_lazy_ones_included() -> None:
    edges = defaultdict(set)
    for found in imports():
        if found.target in modules() and PACKAGE not in (found.source, found.target) and not found.typing:
            edges[found.source].add(found.target)
    assert not list(_cycles(edges))


def _cycles(edges: dict[str, set[str]]) -> Iterator[list[str]]:
    """One cycle for each edge that closes one, found depth first."""
    done: set[str] = set()
    path: list[str] = []

    def visit(node: str) -> Iterator[list[str]]:
        path.append(node)
        for target in sorted(edges.get(node, ())):
            if target in path:
                yield [*path[path.index(target) :], target]
            elif target not in done:
                yield from visit(target)
        done.add(path.pop())

    for start in sorted(edges):
        if start not in done:
            yield from visit(start)


def test_third_parties_are_loaded_where_they_are_used() -> None:
    wrong = []
    for found in imports():
        name = found.target.split(".")[0]
        if found.lazy or found.typing or name == PACKAGE or name in sys.stdlib_module_names:
            continue
        if not area(found.source) or name not in table()[area(found.source)][1]:
            wrong.append(f"{found.source}:{found.line} loads {name}")
    assert not wrong


def test_pytest_is_loaded_by_the_runners_plug_in_alone() -> None:
    assert {i.source.startswith(RUNNER) for i in imports() if i.target.split(".")[0] in ("pytest", "_pytest")} == {True}


def test_importing_the_package_loads_gymnasium_and_numpy_and_nothing_else() -> None:
    code = (
        "import sys, gymnasium, numpy; before = set(sys.modules); import swesmith_gym; "
        "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert set(done.stdout.split()) - set(sys.stdlib_module_names) == {PACKAGE}


def test_playing_never_loads_what_makes_bugs() -> None:
    code = "import sys, swesmith_gym.envs.bugfix; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.split())
    assert "swesmith_gym.envs.bugfix" in loaded
    assert not {"libcst", "datasets", "typer", "jinja2", "swesmith_gym.bugs", "swesmith_gym.issues"} & loaded


def test_nothing_outside_of_its_folder_knows_python() -> None:
    """Neither its syntax (no parser is imported) nor its test runner (no text that a program acts on names it)."""
    wrong = []
    for name, path in modules().items():
        if name.startswith(("swesmith_gym.languages.python", "swesmith_gym.redteam")):  # attacks name what they attack
            continue
        parsers = {"ast", "tokenize", "symtable", "dis", "libcst", "pytest", "coverage"}
        wrong += [f"{name} imports {i.target}" for i in imports() if i.source == name and i.target in parsers]
        wrong += [f"{name}:{line} {text!r}" for line, text in _texts(tree(path)) if _PYTHON_ONLY.search(text)]
    assert not wrong


def _texts(module: ast.Module) -> Iterator[tuple[int, str]]:
    """String constants that are no docstrings."""
    documentation = {
        id(node.value)
        for node in ast.walk(module)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value
