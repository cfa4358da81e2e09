"""Taking tests out of a tree, so that what remains collects as before, less what was taken."""

from __future__ import annotations

import ast
import textwrap
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from swesmith_gym.errors import InputError
from swesmith_gym.languages.base import Files, HiddenTests
from swesmith_gym.languages.python.testing.cut import CannotCut, cut, first_line
from swesmith_gym.languages.python.testing.definitions import Definition, Index
from swesmith_gym.languages.python.testing.ids import is_doctest, module_of, names_of
from swesmith_gym.languages.python.testing.leaving import certain, named, owned, watched
from swesmith_gym.languages.python.testing.scopes import is_filler
from swesmith_gym.languages.python.testing.surface import surface
from swesmith_gym.records import TestSetup

HOW = ("functions", "files", "none")
SHARED = frozenset({"conftest.py", "__init__.py"})
"""Files that others need whatever tests they hold."""


def hide(
    files: Files, ids: Collection[str], all_ids: Collection[str], *, how: str, keep: Collection[str]
) -> HiddenTests:
    """See `Language.hide_tests`. Raises: InputError (unknown `how`)."""
    if how not in HOW:
        raise InputError(f"unknown way to hide tests {how!r}: choose one of {', '.join(HOW)}")
    if how == "none":
        return HiddenTests({}, ())
    plan = _Plan(Index(files), frozenset(all_ids) | frozenset(ids), frozenset(keep))
    for test_id in sorted(ids):
        if how == "files" and plan.removable(module_of(test_id)):
            plan.files.add(module_of(test_id))
        else:
            plan.take(test_id)
    return plan.carry_out()


def test_source(files: Files, test_id: str) -> str:
    """See `Language.test_source`."""
    index = Index(files)
    definition = index.resolve(test_id)
    module = index.module(definition.path) if definition else None
    if definition is None or module is None:
        return ""
    found = module.places(definition.names)
    if not found:
        return ""
    lines = module.source.decode("utf-8", "replace").splitlines()
    node = found[-1].statement
    return textwrap.dedent("\n".join(lines[first_line(node) - 1 : node.end_lineno]))


@dataclass
class _Plan:
    """What goes: definitions out of files, and whole files."""

    index: Index
    all_ids: frozenset[str]
    keep: frozenset[str]
    definitions: set[Definition] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    stubbed: bool = False
    """Some name had to stay."""
    _near: dict[str, frozenset[str]] = field(default_factory=dict)

    def removable(self, path: str) -> bool:
        """The file holds tests, may be touched, and nothing else in the tree imports it."""
        if path in self.keep or path not in self.index.files or PurePosixPath(path).name in SHARED:
            return False
        others = self._mentioning(path) - {path}
        return not any(path in self.index.imports(other) for other in others)

    def take(self, test_id: str) -> None:
        """Mark what defines a test; its whole file where that cannot be found. A doctest in code stays."""
        path = module_of(test_id)
        if path.endswith(".py") and is_doctest(test_id):
            return
        found = self.index.resolve(test_id)
        if found is not None:
            if found.path not in self.keep and found.path in self.surface:
                self.definitions.add(found)
        elif self.removable(path):
            self.files.add(path)

    @cached_property
    def surface(self) -> frozenset[str]:
        """The tree's test files and what belongs to them: tests may be inherited from the package's own code."""
        return frozenset(surface(self.index.files, TestSetup(), self.all_ids).files)

    def carry_out(self) -> HiddenTests:
        """Make the edits; a file that cannot be edited goes as a whole, or stays."""
        changed: dict[str, bytes | None] = dict.fromkeys(self.files)
        touched = {definition.path for definition in self.definitions} - self.files
        owners = self._owners(touched)
        stubs = self._exposed(owners)
        for path in sorted(touched):
            wanted = {d for d in self.definitions if d.path == path}
            try:
                changed[path] = self._edit(path, wanted, stubs, owners)
            except CannotCut:
                self.definitions -= wanted
                if self.removable(path):
                    changed[path] = None
                    self.files.add(path)
        gone = {test_id for test_id in self.all_ids if module_of(test_id) in self.files}
        gone |= {test_id for test_id, definition in owners.items() if definition in self.definitions}
        ordered = {path: changed[path] for path in sorted(changed)}
        return HiddenTests(ordered, tuple(sorted(gone)), self._certain(ordered, gone))

    def _certain(self, changed: Mapping[str, bytes | None], gone: Collection[str]) -> bool:
        """What remains is collected as before, by the text alone."""
        if self.stubbed or self.files or watched(self.index.files) or owned(self.definitions, self.all_ids) != gone:
            return False
        return all(self._left(path, left) for path, left in changed.items())

    def _left(self, path: str, left: bytes | None) -> bool:
        module = self.index.module(path)
        word = {PurePosixPath(path).stem}
        if module is None or left is None or PurePosixPath(path).name in SHARED:
            return False
        if any(named(word, self.index.files[other]) for other in self._mentioning(path) - {path}):
            return False
        ids = [test for test in self.all_ids if module_of(test) == path]
        return certain(module, [each for each in self.definitions if each.path == path], left, ids)

    def _mentioning(self, path: str) -> frozenset[str]:
        """Python files whose text holds the file's module name, and the file itself."""
        if path not in self._near:
            posix = PurePosixPath(path)
            word = (posix.parent.name if posix.name == "__init__.py" else posix.stem).encode()
            found = {other for other, data in self.index.files.items() if other.endswith(".py") and word in data}
            self._near[path] = frozenset(found | {path})
        return self._near[path]

    def _owners(self, touched: Iterable[str]) -> dict[str, Definition]:
        """Id -> what defines it, for every id that code in the touched files may define, inherited or imported."""
        reached: set[str] = set()
        waiting = set(touched)
        while waiting:
            path = waiting.pop()
            reached.add(path)
            near = {other for other in self._mentioning(path) - reached if path in self.index.imports(other)}
            waiting |= near
        owners: dict[str, Definition] = {}
        known: dict[tuple[str, tuple[str, ...]], Definition | None] = {}
        for test_id in self.all_ids:
            path = module_of(test_id)
            if path not in reached:
                continue
            key = (path, names_of(test_id))
            if key not in known:
                known[key] = self.index.resolve(test_id)
            definition = known[key]
            if definition is not None:
                owners[test_id] = definition
        return owners

    def _exposed(self, owners: Mapping[str, Definition]) -> set[Definition]:
        """Definitions that hide another of the same name in a base class: cutting them would bring that one up."""
        scopes = {definition: {Definition(definition.path, definition.names[:-1])} for definition in self.definitions}
        for test_id, owner in owners.items():
            if owner in scopes:
                scopes[owner].add(Definition(module_of(test_id), names_of(test_id)[:-1]))
        return {
            definition
            for definition, classes in scopes.items()
            if any(scope.names and self._inherits_another(scope, definition) for scope in classes)
        }

    def _inherits_another(self, scope: Definition, definition: Definition) -> bool:
        """A class reaches `definition`'s name in a second place."""
        name, pending, seen = definition.names[-1], [scope], set()
        while pending:
            current = pending.pop()
            if current in seen:
                continue
            seen.add(current)
            module = self.index.module(current.path)
            here = Definition(current.path, (*current.names, name))
            another = here != definition and here not in self.definitions
            if module and another and module.places(here.names):
                return True
            pending += self.index.bases(current, [20])
        return False

    def _edit(
        self, path: str, wanted: set[Definition], exposed: set[Definition], owners: Mapping[str, Definition]
    ) -> bytes:
        module = self.index.module(path)
        assert module is not None, path
        chosen = {id(place.statement): place for found in wanted for place in module.places(found.names)}
        inside = Counter[str]()
        for place in chosen.values():
            inside.update(module.uses(place.statement))
        stubs = {d.names[-1] for d in wanted if d in exposed or self._is_used(d, inside)}
        for names in {d.names[:-1] for d in wanted if len(d.names) > 1}:
            node = module.scope(names[:-1]).class_of(names[-1])
            if node and not stubs and self._class_goes(Definition(path, names), node, chosen, inside, owners):
                members = {id(member) for member in node.body}
                chosen = {key: place for key, place in chosen.items() if key not in members}
                chosen[id(node)] = module.places(names)[-1]
        self.stubbed = self.stubbed or bool(stubs)
        return cut(module.source, chosen.values(), stubs)

    def _is_used(self, definition: Definition, inside: Mapping[str, int]) -> bool:
        """Other code names it, so that the name must stay. `inside`: uses in what goes from the same file."""
        name = definition.names[-1]
        for path in self._mentioning(definition.path):
            module = self.index.module(path) if name.encode() in self.index.files[path] else None
            if module and module.uses()[name] > (inside.get(name, 0) if path == definition.path else 0):
                return True
        return False

    def _class_goes(
        self,
        scope: Definition,
        node: ast.ClassDef,
        chosen: Collection[int],
        inside: Mapping[str, int],
        owners: Mapping[str, Definition],
    ) -> bool:
        """Nothing but a docstring would be left of the class, no test runs under its name, and no code names it."""
        module = self.index.module(scope.path)
        if module is None or len(module.places(scope.names)) != 1:
            return False
        if any(id(member) not in chosen and not is_filler(member) for member in node.body):
            return False
        below = (
            test_id
            for test_id in self.all_ids
            if module_of(test_id) == scope.path and names_of(test_id)[: len(scope.names)] == scope.names
        )
        return all(owners.get(test_id) in self.definitions for test_id in below) and not self._is_used(scope, inside)
