"""What the package's modules import, read from their syntax trees: the one helper of the architecture's tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "swesmith_gym"


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement's target, as seen from one module."""

    source: str
    target: str
    """Full dotted name: of a module of the package where there is one, else what the statement says."""
    line: int
    lazy: bool
    """Inside a function: done on use."""
    typing: bool
    """Below `if TYPE_CHECKING`: never done at run time."""


@lru_cache(maxsize=1)
def modules() -> Mapping[str, Path]:
    """Dotted name -> file of every module of the package, links not followed."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"), str(path))


@lru_cache(maxsize=1)
def imports() -> tuple[Import, ...]:
    """Every import of every module."""
    return tuple(found for name, path in modules().items() for found in _imports(name, path))


def _imports(name: str, path: Path) -> Iterator[Import]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    waiting: list[tuple[ast.AST, bool, bool]] = [(tree(path), False, False)]
    while waiting:
        node, lazy, typing = waiting.pop()
        for target in _targets(node, package):
            yield Import(name, target, getattr(node, "lineno", 0), lazy, typing)
        inside = lazy or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        guarded = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for child in ast.iter_child_nodes(node):
            hidden = guarded and isinstance(node, ast.If) and child in node.body
            waiting.append((child, inside, typing or hidden))


def _targets(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
        start = ".".join(part for part in (base, node.module) if part)
        for alias in node.names:
            full = f"{start}.{alias.name}"
            yield full if full in modules() else start


def area(module: str) -> str:
    """The part of the package that a module belongs to: the first name below the root; empty for the root itself."""
    return module.split(".")[1] if "." in module else ""
