"""The part of the language protocol that lets somebody else, a language model mostly, write functions and classes anew.

What they are shown, and what is made of their answer, works on text; an answer is untrusted, and is never run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from swesmith_gym.records import CodeEntity


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A file with one entity as somebody else wrote it, or why it cannot be had."""

    source: str
    """The whole new text of the file; empty where there is a reason."""
    reason: str = ""
    """One of REJECTION_REASONS; empty: it can be used."""
    detail: str = ""
    prose: tuple[str, ...] = ()
    """Comments and documentation of the entity that were not in it before."""


class Rewriter(ABC):
    """What every `Language` can do with its entities as texts. Stateless."""

    @abstractmethod
    def rewritable(self, path: str, source: str) -> list[tuple[CodeEntity, int]]:
        """Entities that can be exchanged for another text, tests aside, in order of appearance; each with how many
        lines of its body are code. A text that does not parse has none."""

    @abstractmethod
    def entity_text(self, source: str, entity: CodeEntity, *, blanked: bool = False) -> str:
        """An entity of this file as if it stood alone at the left edge, its lines ended by LF. `blanked`: without its
        body, or those of its methods, but with head and documentation; it parses. Raises: LookupError, SyntaxError."""

    @abstractmethod
    def contexts(self, source: str, entity: CodeEntity, *, blanked: bool = False) -> tuple[str, ...]:
        """An entity in its place, the longest text first: in the whole file; in the file without the bodies of all
        other functions; under the heads of what it lies in. Those that are equal come once. `blanked` and errors: as in
        `entity_text`."""

    @abstractmethod
    def rewritten(self, source: str, entity: CodeEntity, code: str, *, same_call: bool = False) -> Rewriting:
        """The file with `code`, which anybody may have written, in place of an entity of it.

        The code must be one definition of the same kind and name, with a body, and nothing else. Line ends,
        indentation, and what the code leaves as it was remain the file's own; so do heads and documentation, unless it
        is called otherwise now. `same_call`: that is refused (annotations aside). Reasons: `no_code`, `syntax_error`,
        `outside_entity`, `placeholder`, `too_large`. Raises: LookupError, SyntaxError (of `source`).
        """

    @abstractmethod
    def code_in(self, text: str) -> str:
        """The first stretch of a text of prose that is code with a definition in it; empty where there is none.
        Never raises."""
