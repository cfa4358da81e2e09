"""The procedural strategy: syntax-tree operators over every source file that no test consists of.

Free, deterministic and fast. Which edits there are is the language's business; here they become candidates: a diff,
an id, a reason where it is none. Whether a candidate breaks a test is found out elsewhere.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from swesmith_gym.bugs.base import Ground, Result, in_turn, limited
from swesmith_gym.errors import InputError
from swesmith_gym.languages.base import Language, Mutation
from swesmith_gym.records import RejectedCandidate


@dataclass(frozen=True, slots=True)
class Procedural:
    """What comes out depends on content, paths and seed alone."""

    operators: tuple[str, ...] = ()
    """Names of those to use; empty: all that the language has."""
    name: ClassVar[str] = "procedural"

    def candidates(self, ground: Ground, *, limit: int | None = None, seed: int = 0) -> Iterator[Result]:
        """Candidates of a pristine tree; what is trivially equivalent or was there before comes out rejected.

        `limit`: at most this many candidates, spread over operators and files by `seed`; without it, all, in order of
        path. Files that do not parse hold no place for a bug. Raises: InputError (unknown operator), at once.
        """
        made = self._made(ground, _known(self.operators, ground.language), seed, spread=limit is not None)
        return limited(made, limit)

    def _made(self, ground: Ground, names: Sequence[str], seed: int, *, spread: bool) -> Iterator[Result]:
        source = _Source(ground, seed)
        seen: set[str] = set()
        for mutation in source.spread(names) if spread else source.everything(names):
            yield self._result(mutation, ground, seed, seen)

    def _result(self, mutation: Mutation, ground: Ground, seed: int, seen: set[str]) -> Result:
        candidate = ground.candidate(
            {mutation.path: mutation.source.encode()},
            self.name,
            operator=mutation.operator,
            explanation=mutation.explanation,
            seed=seed,
        )
        where = f"{mutation.path}: {mutation.entity.name}"
        if candidate.candidate_id in seen:
            return RejectedCandidate(candidate, "duplicate", where)
        seen.add(candidate.candidate_id)
        if ground.language.equivalent(ground.sources[mutation.path], mutation.source):
            return RejectedCandidate(candidate, "equivalent", where)
        return candidate


def _known(operators: Collection[str], language: Language) -> list[str]:
    """Names of operators, sorted; all where none is given. Raises: InputError."""
    known = language.operator_names()
    for name in sorted(operators):
        if name not in known:
            raise InputError(f"unknown operator {name!r}: {language.name} has {', '.join(known)}")
    return sorted(set(operators or known))


class _Source:
    """The tree's mutations. One for each run; keeps what it has already made."""

    def __init__(self, ground: Ground, seed: int) -> None:
        self.language = ground.language
        self.texts = ground.sources
        self.seed = seed

    def of(self, path: str, names: Collection[str]) -> Iterator[Mutation]:
        """Mutations of one file. The generator depends on seed and path, so that the order of files does not matter."""
        try:
            yield from self.language.mutations(path, self.texts[path], random.Random(f"{self.seed}:{path}"), names)
        except SyntaxError:
            return

    def everything(self, names: Collection[str]) -> Iterator[Mutation]:
        """All mutations, file by file."""
        for path in self.texts:
            yield from self.of(path, names)

    def spread(self, names: Sequence[str]) -> Iterator[Mutation]:
        """All mutations, in an order that takes operators in turn, and for each operator files in turn."""
        rng = random.Random(f"{self.seed}:spread")
        yield from in_turn(_Turn(self, name, rng.getrandbits(64)) for name in rng.sample(names, len(names)))


class _Turn(Iterator[Mutation]):
    """One operator's mutations, a file at a time in random order, then round again."""

    def __init__(self, source: _Source, name: str, seed: int) -> None:
        self.rng = random.Random(seed)
        paths = list(source.texts)
        self.waiting = deque(self.rng.sample(paths, len(paths)))
        self.made: dict[str, list[Mutation]] = {}
        self.source = source
        self.name = name

    def __next__(self) -> Mutation:
        while self.waiting:
            path = self.waiting.popleft()
            if path not in self.made:
                found = list(self.source.of(path, [self.name]))
                self.rng.shuffle(found)
                self.made[path] = found
            if self.made[path]:
                self.waiting.append(path)
                return self.made[path].pop()
        raise StopIteration
