"""Which entities a model is asked about, and in what order: drawn by the seed, spread over the files.

The first turn takes every entity once, files in turn; a further turn takes them in the same order with the next prompt,
and, when all prompts were used, with the next sample of the first.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from swesmith_gym.bugs.base import Ground
from swesmith_gym.bugs.templates import EntityPrompt
from swesmith_gym.records import CodeEntity


@dataclass(frozen=True, slots=True)
class Limits:
    """Which entities are asked about, and how long requests may be."""

    least_lines: int = 3
    """Lines of code in a body, documentation aside: less is trivial."""
    most_lines: int = 200
    """The same, at most."""
    least_complexity: int = 2
    """As in `CodeEntity`: 2 has one branch, loop or comparison."""
    most_complexity: int | None = None
    tags: frozenset[str] = frozenset()
    """All of which an entity must carry."""
    most_chars: int = 60_000
    """Of all messages of a request; what cannot be asked so briefly is `too_large`."""
    most_tokens: int = 4096
    """Of an answer; an entity of which that is too little is `too_large`."""

    def hold(self, entity: CodeEntity, lines: int) -> bool:
        """The entity may be asked about. `lines`: of code in its body."""
        return (
            self.least_lines <= lines <= self.most_lines
            and self.least_complexity <= entity.complexity
            and (self.most_complexity is None or entity.complexity <= self.most_complexity)
            and self.tags <= entity.tags
        )


@dataclass(frozen=True, slots=True)
class Target:
    """One entity, to be asked about once."""

    entity: CodeEntity
    prompt: EntityPrompt
    sample: int
    """As in `lm.base.Request`."""


class Drawing:
    """The entities of a tree in the order of one seed. Files are parsed when their turn comes."""

    def __init__(self, ground: Ground, prompts: Sequence[EntityPrompt], limits: Limits, seed: int) -> None:
        self.ground = ground
        self.prompts = prompts
        self.limits = limits
        self.seed = seed
        self._known: list[tuple[CodeEntity, tuple[EntityPrompt, ...]]] = []

    def turn(self, number: int, *, again: bool) -> Iterator[Target]:
        """Turn `number`, from 0 on, after all turns before it. `again`: prompts that were used up give further samples,
        if their temperature is above 0; without it, the turn has those entities only that have a prompt left."""
        for entity, prompts in self._first() if number == 0 else self._known:
            sample, which = divmod(number, len(prompts))
            if not sample or (again and prompts[which].temperature > 0):
                yield Target(entity, prompts[which], sample)

    def _first(self) -> Iterator[tuple[CodeEntity, tuple[EntityPrompt, ...]]]:
        """Every entity with its prompts, the order of which is its own."""
        rng = random.Random(f"{self.seed}:files")
        paths = list(self.ground.sources)
        waiting = deque(_File(path) for path in rng.sample(paths, len(paths)))
        while waiting:
            file = waiting.popleft()
            if file.entities is None:
                file.entities = self._of(file.path)
            if file.entities:
                found = file.entities.pop()
                self._known.append(found)
                yield found
                waiting.append(file)

    def _of(self, path: str) -> list[tuple[CodeEntity, tuple[EntityPrompt, ...]]]:
        rng = random.Random(f"{self.seed}:{path}")
        found = []
        for entity, lines in self.ground.language.rewritable(path, self.ground.sources[path]):
            prompts = [each for each in self.prompts if entity.kind in each.kinds]
            first = rng.randrange(len(prompts)) if prompts else 0
            if prompts and self.limits.hold(entity, lines):
                found.append((entity, (*prompts[first:], *prompts[:first])))
        rng.shuffle(found)
        return found


@dataclass(slots=True)
class _File:
    path: str
    entities: list[tuple[CodeEntity, tuple[EntityPrompt, ...]]] | None = None
