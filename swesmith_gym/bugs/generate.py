"""Bug strategies by name: the door to all of them. What a strategy does is in its own module."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Protocol

from swesmith_gym.bugs import procedural
from swesmith_gym.errors import InputError
from swesmith_gym.languages.base import Files, Language
from swesmith_gym.records import BugCandidate, RejectedCandidate


class Strategy(Protocol):
    """A source of candidates for one pristine tree. A generator: nothing is made before it is asked for."""

    def __call__(
        self,
        files: Files,
        language: Language,
        *,
        repo: str,
        allowed: Callable[[str], bool],
        operators: Collection[str] | None = None,
        limit: int | None = None,
        seed: int = 0,
    ) -> Iterator[BugCandidate | RejectedCandidate]:
        """See `procedural.generate`."""
        ...


STRATEGIES: dict[str, Strategy] = {procedural.STRATEGY: procedural.generate}
"""Every strategy of this version."""


def generate(
    strategy: str,
    files: Files,
    language: Language,
    *,
    repo: str,
    allowed: Callable[[str], bool],
    operators: Collection[str] | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> Iterator[BugCandidate | RejectedCandidate]:
    """Candidates of one strategy, at most `limit`; what it left out comes too, with the reason.

    `allowed(path)`: a bug may be put in this file. Raises: InputError (no such strategy or operator), at once.
    """
    make = STRATEGIES.get(strategy)
    if make is None:
        raise InputError(f"unknown strategy {strategy!r}: this version has {', '.join(sorted(STRATEGIES))}")
    known = language.operator_names()
    for name in sorted(operators or ()):
        if name not in known:
            raise InputError(f"unknown operator {name!r}: {language.name} has {', '.join(known)}")
    return make(files, language, repo=repo, allowed=allowed, operators=operators, limit=limit, seed=seed)
