"""The procedural strategy: syntax-tree operators over every source file that no test consists of.

Free, deterministic and fast. Which edits there are is the language's business; here they become candidates: a diff,
an id, a reason where it is none. Whether a candidate breaks a test is found out elsewhere.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence

from swesmith_gym.diff import unified
from swesmith_gym.languages.base import Files, Language, Mutation
from swesmith_gym.records import BugCandidate, RejectedCandidate, content_id

STRATEGY = "procedural"
Result = BugCandidate | RejectedCandidate


def generate(
    files: Files,
    language: Language,
    *,
    repo: str,
    allowed: Callable[[str], bool],
    operators: Collection[str] | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> Iterator[Result]:
    """Candidates of a pristine tree; what is trivially equivalent or was there before comes out rejected.

    `allowed(path)`: a bug may be put in this file (it is not on the test surface). `limit`: at most this many
    candidates, spread over operators and files by `seed`; without it, all, in order of path. What comes out depends
    on content, paths and seed alone. Files that are not UTF-8 or do not parse hold no place for a bug.
    Raises: InputError (unknown operator).
    """
    names = sorted(set(language.operator_names() if operators is None else operators))
    source = _Source(files, language, allowed, seed)
    mutations = source.everything(names) if limit is None else source.spread(names)
    seen: set[str] = set()
    count = 0
    for mutation in mutations:
        if limit is not None and count >= limit:
            return
        before = source.texts[mutation.path]
        result = _result(mutation, before, repo=repo, seed=seed, seen=seen, language=language)
        count += isinstance(result, BugCandidate)
        yield result


def _result(
    mutation: Mutation, before: str, *, repo: str, seed: int, seen: set[str], language: Language
) -> BugCandidate | RejectedCandidate:
    patch = unified(mutation.path, before, mutation.source)
    candidate = BugCandidate(
        repo=repo,
        strategy=STRATEGY,
        operator=mutation.operator,
        bug_patch=patch,
        explanation=mutation.explanation,
        seed=seed,
        candidate_id=content_id(repo, patch)[:16],
    )
    where = f"{mutation.path}: {mutation.entity.name}"
    if candidate.candidate_id in seen:
        return RejectedCandidate(candidate, "duplicate", where)
    seen.add(candidate.candidate_id)
    if language.equivalent(before, mutation.source):
        return RejectedCandidate(candidate, "equivalent", where)
    return candidate


class _Source:
    """The tree's files as text, and their mutations. One for each run; keeps what it has already made."""

    def __init__(self, files: Files, language: Language, allowed: Callable[[str], bool], seed: int) -> None:
        self.language = language
        self.seed = seed
        self.texts = {
            path: text
            for path in sorted(files)
            if language.is_source(path) and allowed(path) and (text := _text(files[path])) is not None
        }

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
        turns = deque(_Turn(self, name, rng.getrandbits(64)) for name in rng.sample(names, len(names)))
        while turns:
            turn = turns.popleft()
            mutation = next(turn, None)
            if mutation is not None:
                yield mutation
                turns.append(turn)


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


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
