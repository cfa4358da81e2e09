"""The names that a Python file binds, scope by scope, and the names that it uses."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from swesmith_gym.languages.python.parsing import parse

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Place:
    """One statement that binds a name, and the list of statements that it stands in."""

    statement: ast.stmt
    body: list[ast.stmt]


class Scope:
    """The statements of one module or class, by the names that they bind."""

    def __init__(self, body: list[ast.stmt]) -> None:
        self.places: dict[str, list[Place]] = {}
        self.decorated: list[str] = []
        for place in walk(body):
            if isinstance(place.statement, Function) and place.statement.decorator_list:
                self.decorated.append(place.statement.name)
            if not isinstance(place.statement, ast.Import | ast.ImportFrom):
                for name in bound_names(place.statement):
                    self.places.setdefault(name, []).append(place)

    def class_of(self, name: str) -> ast.ClassDef | None:
        """The last class of that name."""
        found = [p.statement for p in self.places.get(name, []) if isinstance(p.statement, ast.ClassDef)]
        return found[-1] if found else None

    def generator_of(self, name: str) -> str:
        """The decorated function that `name` was generated from (`test_sum_0_small` from `test_sum`), or empty."""
        return max((other for other in self.decorated if name.startswith(f"{other}_")), key=len, default="")


class Module:
    """One parsed file."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path = path
        self.source = source
        self.tree = parse(source)
        self._scopes: dict[tuple[str, ...], Scope] = {}
        self._uses: dict[ast.AST, Counter[str]] = {}

    def scope(self, names: tuple[str, ...] = ()) -> Scope:
        """The module's own scope, or that of the class that `names` leads to; empty where there is none."""
        if names not in self._scopes:
            if names:
                found = self.scope(names[:-1]).class_of(names[-1])
                body = found.body if found else []
            else:
                body = self.tree.body
            self._scopes[names] = Scope(body)
        return self._scopes[names]

    def places(self, names: tuple[str, ...]) -> list[Place]:
        """Every statement that binds what `names` leads to, imports aside."""
        return self.scope(names[:-1]).places.get(names[-1], [])

    @cached_property
    def lines(self) -> list[bytes]:
        """Its lines, with their ends. Not to be changed."""
        return self.source.splitlines(keepends=True)

    @cached_property
    def imports(self) -> list[ast.Import | ast.ImportFrom]:
        """Its import statements, at any depth."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.Import | ast.ImportFrom)]

    def uses(self, node: ast.AST | None = None) -> Counter[str]:
        """How often each name is used below a node of this file, or in all of it: as a variable, an attribute, an
        import, or a string of that text. Not to be changed."""
        below = node or self.tree
        if below not in self._uses:
            self._uses[below] = _uses(below)
        return self._uses[below]

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name that it defines or uses, at any depth."""
        defined = (node.name for node in ast.walk(self.tree) if isinstance(node, Function | ast.ClassDef))
        return frozenset({*self.uses(), *defined})

    @cached_property
    def bound(self) -> dict[str, ast.stmt]:
        """Name at module level -> the last statement that binds it."""
        return {name: place.statement for place in walk(self.tree.body) for name in bound_names(place.statement)}

    @cached_property
    def stars(self) -> list[ast.ImportFrom]:
        """The star imports at module level, last first."""
        found = [p.statement for p in walk(self.tree.body) if isinstance(p.statement, ast.ImportFrom)]
        return [node for node in reversed(found) if node.names[0].name == "*"]


def walk(body: list[ast.stmt]) -> Iterator[Place]:
    """Every statement of one scope: inside `if`, `try`, `with` and loops too, but not inside functions and classes."""
    for statement in body:
        yield Place(statement, body)
        if isinstance(statement, Function | ast.ClassDef):
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from walk(getattr(statement, name, None) or [])
        for handler in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from walk(handler.body)


def bound_names(statement: ast.stmt) -> list[str]:
    """Names that a definition, a plain assignment or an import binds."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return [alias.asname or alias.name.split(".")[0] for alias in aliases]
    return []


def _uses(tree: ast.AST) -> Counter[str]:
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)) | ast.alias(name=name):
                found[name] += 1
    return found


def is_nothing(statement: ast.stmt) -> bool:
    """An assignment of None: a name that is no test any more."""
    return isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)


def is_filler(statement: ast.stmt) -> bool:
    """A statement that does nothing: `pass`, a docstring, an ellipsis."""
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )
