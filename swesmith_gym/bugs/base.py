"""What every bug strategy is given, and what it gives: proposals, none of which has been shown to break a test."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar

from swesmith_gym import diff
from swesmith_gym.languages.base import Files, Language
from swesmith_gym.records import BugCandidate, RejectedCandidate

T = TypeVar("T")
Result = BugCandidate | RejectedCandidate
After = Mapping[str, bytes | None]
"""Path -> a file as a bug leaves it; None: it is gone."""
Judge = Callable[[BugCandidate], str]
"""Empty if a candidate is a task; else one plain sentence for whoever wrote it (`no test fails`, `every test fails`)
that says nothing of the tests themselves. Called from several threads at once where a strategy works in several."""


@dataclass(frozen=True)
class Ground:
    """A pristine tree that bugs are put into. Immutable and thread-safe."""

    repo: str
    """Name of its profile."""
    files: Files
    language: Language
    allowed: Callable[[str], bool]
    """A bug may be put in the file of this path: no test hangs on it."""

    @cached_property
    def sources(self) -> dict[str, str]:
        """Path -> text of every file of code that a bug may be put in, in order of path. What is not UTF-8 is left
        out: it holds no place for a bug."""
        texts = {path: _text(self.files[path]) for path in sorted(self.files) if self.holds_bugs(path)}
        return {path: text for path, text in texts.items() if text is not None}

    def holds_bugs(self, path: str) -> bool:
        """The file is code, by its name, and may be changed."""
        return self.language.is_source(path) and self.allowed(path)

    def candidate(self, after: After, strategy: str, **details: Any) -> BugCandidate:
        """A bug from the files that it changes. `details`: further fields of the candidate."""
        patch = diff.of_changes(diff.Change(path, self.files.get(path), after[path]) for path in sorted(after))
        return BugCandidate(self.repo, strategy, details.pop("operator", None), patch, **details).identified()


class Strategy(Protocol):
    """A source of candidates."""

    @property
    def name(self) -> str:
        """As in `BugCandidate.strategy`."""
        ...

    def candidates(self, ground: Ground, *, limit: int | None = None, seed: int = 0) -> Iterator[Result]:
        """At most `limit` candidates, spread over the tree by `seed`; what is none comes too, with the reason.

        A generator: nothing is made, and nothing paid for, before it is asked for.
        """
        ...


def limited(results: Iterator[Result], limit: int | None) -> Iterator[Result]:
    """Results up to the `limit`-th candidate; nothing is made beyond it."""
    count = 0
    while limit is None or count < limit:
        each = next(results, None)
        if each is None:
            return
        count += isinstance(each, BugCandidate)
        yield each


def in_turn(sources: Iterable[Iterator[T]]) -> Iterator[T]:
    """One of each source, round and round, until all are at their end."""
    turns = deque(sources)
    while turns:
        source = turns.popleft()
        for each in source:
            yield each
            turns.append(source)
            break


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
