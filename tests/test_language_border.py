"""Nothing outside a language's folder knows that language: its parser, its test runner, its file names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import swesmith_gym

PACKAGE = Path(swesmith_gym.__file__).parent
INSIDE = PACKAGE / "languages" / "python"
PARSERS = frozenset(
    {"ast", "libcst", "parso", "symtable", "tokenize", "keyword", "dis", "pytest", "_pytest", "unittest", "doctest"}
)
WORDS = re.compile(r"(?<![.\w])(?:_?pytest|conftest|libcst|unittest|doctest|addopts|xdist|parametrize)(?!\w)")
TEXTS_FOR_PEOPLE = ("cli", "redteam")  # attacks are programs that name what they attack
FILES = sorted(path for path in PACKAGE.rglob("*.py") if INSIDE not in path.parents)


def imports(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").split(".")[0])
    return found


def code_words(tree: ast.AST) -> set[str]:
    """Names and strings of the code; strings that are documentation aside."""
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in documentation:
                found.add(text)
            case ast.Name(id=text) | ast.Attribute(attr=text) | ast.arg(arg=text) | ast.alias(name=text):
                found.add(text)
            case ast.FunctionDef(name=text) | ast.ClassDef(name=text) | ast.keyword(arg=str(text)):
                found.add(text)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_language_outside_its_folder(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert imports(tree) & PARSERS == set()
    if path.relative_to(PACKAGE).parts[0] not in TEXTS_FOR_PEOPLE:
        assert {text for text in code_words(tree) if WORDS.search(text)} == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_language_is_reached_through_its_door(path: Path) -> None:
    if path == PACKAGE / "languages" / "__init__.py":
        return
    modules = {
        node.module or ""
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    }
    assert {name for name in modules if name.startswith("swesmith_gym.languages.python")} == set()


def test_the_check_sees_what_it_looks_for() -> None:
    tree = ast.parse('"""pytest"""\nimport ast\nx = "run pytest now"\ny = ".pytest_cache"\n')
    assert imports(tree) & PARSERS == {"ast"}
    assert {text for text in code_words(tree) if WORDS.search(text)} == {"run pytest now"}
