"""What an operator is: a class that finds places in an entity and proposes an edit for one of them.

An operator decides where a bug can go and what text it puts there. Choosing among places, checking the result and
writing explanations is the engine's work. Operators are stateless; one instance serves a whole process.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.records import CodeEntity

Site = TypeVar("Site")
FUNCTION = frozenset({"function"})
CLASS = frozenset({"class"})
ANY = FUNCTION | CLASS


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text between two offsets, in characters of the whole file."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """Text before, and every text that the operator may make of it with one edit."""

    before: str
    after: frozenset[str]

    @classmethod
    def of(cls, before: str, *after: str) -> Example:
        """The usual spelling: one text, then what it may become."""
        return cls(before, frozenset(after))


class Operator(ABC, Generic[Site]):
    """One kind of bug. Its examples are its tests and its documentation."""

    name: ClassVar[str]
    """Unique: lower-case letters, digits, `_`."""
    sentence: ClassVar[str]
    """What was done, as the end of the explanation: a clause without a full stop."""
    kinds: ClassVar[frozenset[str]] = FUNCTION
    """Kinds of entity that it works on: `function`, `class`."""
    needs: ClassVar[frozenset[str]] = frozenset()
    """Tags that an entity must carry, all of them (see `entities.scopes.TAGS`)."""
    complexity: ClassVar[tuple[int, int | None]] = (1, None)
    """Lowest and highest complexity of an entity, inclusive; None: no upper limit."""
    likelihood: ClassVar[float] = 0.1
    """Chance of each place to be edited, 0 to 1; one is always, three are at most."""
    valid: ClassVar[tuple[Example, ...]]
    """What it does, by example."""
    invalid: ClassVar[tuple[str, ...]] = ()
    """Texts that it leaves alone."""

    @abstractmethod
    def sites(self, scope: Scope) -> Iterator[Site]:
        """Places in the entity that can be edited, in a fixed order."""

    @abstractmethod
    def edits(self, scope: Scope, site: Site) -> Iterator[tuple[Edit, ...]]:
        """Every way to edit one place, in a fixed order; each may take several edits together, which never overlap."""

    def fits(self, entity: CodeEntity) -> bool:
        """Kind, tags and complexity are as this operator demands."""
        low, high = self.complexity
        if entity.kind not in self.kinds or not self.needs <= entity.tags:
            return False
        return low <= entity.complexity and (high is None or entity.complexity <= high)


def replace(scope: Scope, node: ast.expr | ast.stmt | ast.keyword, text: str) -> Edit:
    """The edit that puts `text` in the place of a node."""
    return Edit(scope.file.start(node), scope.file.end(node), text)
