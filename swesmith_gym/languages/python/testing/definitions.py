"""Which code defines a test: ids resolved through classes, base classes and imports, on text alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

from swesmith_gym.languages.base import Files
from swesmith_gym.languages.python.testing.ids import module_of, names_of
from swesmith_gym.languages.python.testing.scopes import Module, is_nothing

MAX_STEPS = 40
"""Imports and base classes followed for one name: more is a circle."""


@dataclass(frozen=True, slots=True)
class Definition:
    """Where a name is defined: file, and the chain of names inside it, classes first."""

    path: str
    names: tuple[str, ...]


class Index:
    """The Python files of a tree, parsed when first asked for."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._modules: dict[str, Module | None] = {}
        self._imports: dict[str, frozenset[str]] = {}

    def module(self, path: str) -> Module | None:
        """The parsed file; None where it is absent or does not parse."""
        if path not in self._modules:
            source = self.files.get(path)
            self._modules[path] = _parsed(path, source) if source is not None and path.endswith(".py") else None
        return self._modules[path]

    def resolve(self, test_id: str) -> Definition | None:
        """What defines a test; None where no text could be found for it."""
        names = names_of(test_id)
        if not names:
            return None
        steps = [MAX_STEPS]
        here: Definition | None = Definition(module_of(test_id), ())
        for position, name in enumerate(names):
            if here is None:
                return None
            here = self.member(here, name, steps, last=position == len(names) - 1)
        return here

    def member(self, scope: Definition, name: str, steps: list[int], *, last: bool) -> Definition | None:
        """`name` in a module or class, through star imports, imports and base classes."""
        steps[0] -= 1
        module = self.module(scope.path)
        if module is None or steps[0] < 0:
            return None
        inside = module.scope(scope.names)
        found = inside.places.get(name, [])
        if found:
            wanted = not last or not isinstance(found[-1].statement, ast.ClassDef)
            return (
                Definition(scope.path, (*scope.names, name)) if wanted and not is_nothing(found[-1].statement) else None
            )
        generated = inside.generator_of(name) if last else ""
        if generated:
            return Definition(scope.path, (*scope.names, generated))
        if scope.names:
            return self._inherited(scope, name, steps, last=last)
        return self._imported(module, name, steps, last=last)

    def _inherited(self, scope: Definition, name: str, steps: list[int], *, last: bool) -> Definition | None:
        for base in self.bases(scope, steps):
            found = self.member(base, name, steps, last=last)
            if found is not None:
                return found
        return None

    def bases(self, scope: Definition, steps: list[int]) -> list[Definition]:
        """The base classes of a class that are defined in the tree."""
        module = self.module(scope.path)
        if module is None:
            return []
        node = module.scope(scope.names[:-1]).class_of(scope.names[-1])
        found = [self._expression(module, base, steps) for base in (node.bases if node else [])]
        return [base for base in found if base is not None]

    def _expression(self, module: Module, node: ast.expr, steps: list[int]) -> Definition | None:
        if isinstance(node, ast.Name):
            return self.member(Definition(module.path, ()), node.id, steps, last=False)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            statement = module.bound.get(node.value.id)
            for path in self._module_paths(module, statement, node.value.id):
                return self.member(Definition(path, ()), node.attr, steps, last=False)
        return None

    def _imported(self, module: Module, name: str, steps: list[int], *, last: bool) -> Definition | None:
        statement = module.bound.get(name)
        if isinstance(statement, ast.ImportFrom):
            original = next((a.name for a in statement.names if (a.asname or a.name) == name), name)
            for path in self.import_paths(module.path, statement.module or "", statement.level):
                return self.member(Definition(path, ()), original, steps, last=last)
        for star in module.stars:
            for path in self.import_paths(module.path, star.module or "", star.level):
                found = self.member(Definition(path, ()), name, steps, last=last)
                if found is not None:
                    return found
        return None

    def _module_paths(self, module: Module, statement: ast.stmt | None, name: str) -> list[str]:
        """Files of the module that an import binds to `name`."""
        if isinstance(statement, ast.Import):
            full = next((a.name for a in statement.names if (a.asname or a.name) == name), name)
            return self.import_paths(module.path, full, 0)
        if isinstance(statement, ast.ImportFrom):
            full = next((a.name for a in statement.names if (a.asname or a.name) == name), name)
            dotted = f"{statement.module}.{full}" if statement.module else full
            return self.import_paths(module.path, dotted, statement.level)
        return []

    def import_paths(self, importer: str, dotted: str, level: int) -> list[str]:
        """Files of the tree that an import in `importer` can mean, likeliest first."""
        folder = PurePosixPath(importer).parent
        tails = dotted.split(".") if dotted else []
        starts = [folder] if level == 0 else [(folder, *folder.parents)[min(level - 1, len(folder.parents))]]
        if level == 0:
            starts += [*folder.parents, PurePosixPath("src")]
        candidates = [str(start.joinpath(*tails)) for start in starts]
        endings = [f"{base}.py" for base in candidates] + [f"{base}/__init__.py" for base in candidates]
        return [path for path in dict.fromkeys(endings) if path in self.files and path != importer]

    def imports(self, importer: str) -> frozenset[str]:
        """Files of the tree that a file imports, at any depth of its code."""
        if importer not in self._imports:
            self._imports[importer] = frozenset(self._find_imports(importer))
        return self._imports[importer]

    def _find_imports(self, importer: str) -> Iterator[str]:
        module = self.module(importer)
        for node in module.imports if module else ():
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield from self.import_paths(importer, alias.name, 0)[:1]
            else:
                start = f"{node.module}." if node.module else ""
                for name in (node.module or "", *(start + alias.name for alias in node.names)):
                    yield from self.import_paths(importer, name, node.level)[:1]


@lru_cache(maxsize=1024)
def _parsed(path: str, source: bytes) -> Module | None:
    """Kept between indexes: the trees of one repository's tasks differ in a file or two."""
    try:
        return Module(path, source)
    except (SyntaxError, ValueError):
        return None
