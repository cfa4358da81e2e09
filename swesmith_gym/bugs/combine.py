"""The strategies that combine bugs: several validated ones of a repository at once, in one file or in one module.

A combination is a harder task: whoever leaves one of its bugs in does not resolve it, since each must still break a
test that it breaks alone (`BugCandidate.parts`; held at validation). Parts change places of the pristine tree that are
apart from each other: no patch is moved or merged.
"""

from __future__ import annotations

import itertools
import random
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from swesmith_gym import patch
from swesmith_gym.bugs.base import Ground, Result, in_turn, limited
from swesmith_gym.diff import changed_span
from swesmith_gym.errors import InputError, PatchDoesNotApply
from swesmith_gym.records import BugCandidate, TaskInstance

MODULE_DEPTH = 3
"""Folders of a path that tell the module, at most."""
MOST_OF_GROUP = 100
"""Combinations of one file or module, at most: as in SWE-smith."""
DRAWS = 20
"""Random choices for each combination that is wanted: most groups have fewer that go together than can be named."""


@dataclass(frozen=True, slots=True)
class _Edit:
    """Characters [start, end) of a file become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Part:
    task: TaskInstance
    edits: Mapping[str, _Edit]
    """Path -> from the first to the last character that the bug changes."""


@dataclass(frozen=True, slots=True)
class _Combine(ABC):
    """Takes bugs that were validated, one by one, and puts some of them in together."""

    tasks: Sequence[TaskInstance]
    """Validated bugs; those of other repositories, and combined ones, are left alone."""
    most: int = 3
    """Bugs of a combination, at most; two at least."""
    name: ClassVar[str]

    @abstractmethod
    def group(self, part: _Part) -> str | None:
        """Parts of one group may be combined; None: this one cannot be."""

    @abstractmethod
    def fits(self, parts: Sequence[_Part]) -> bool:
        """These are what the strategy is for."""

    def candidates(self, ground: Ground, *, limit: int | None = None, seed: int = 0) -> Iterator[Result]:
        """Combinations in random order, files or modules in turn. Raises: InputError (no bug to combine), at once."""
        parts = [part for task in self.tasks if (part := _part(task, ground)) is not None]
        if not parts:
            raise InputError(f"no validated bug of {ground.repo} to combine: give a table that holds some (--tasks)")
        chosen = in_turn(self._combinations(group, seed) for group in _grouped(parts, self.group))
        return limited((self._candidate(ground, each, seed) for each in chosen), limit)

    def _combinations(self, group: Sequence[_Part], seed: int) -> Iterator[tuple[_Part, ...]]:
        rng = random.Random(f"{seed}:{self.name}:{group[0].task.instance_id}")
        seen: set[frozenset[str]] = set()
        for _ in range(DRAWS * MOST_OF_GROUP):
            chosen = tuple(rng.sample(group, min(len(group), rng.randint(2, max(2, self.most)))))
            ids = frozenset(part.task.instance_id for part in chosen)
            if len(ids) < 2 or ids in seen or not self.fits(chosen) or not _apart(chosen):
                continue
            seen.add(ids)
            yield chosen
            if len(seen) == MOST_OF_GROUP:
                return

    def _candidate(self, ground: Ground, parts: Sequence[_Part], seed: int) -> BugCandidate:
        tasks = sorted((part.task for part in parts), key=lambda task: task.instance_id)
        return ground.candidate(
            {path: _edited(ground.sources[path], edits).encode() for path, edits in _by_path(parts).items()},
            self.name,
            seed=seed,
            explanation=" ".join(f"{task.instance_id}: {task.explanation}" for task in tasks),
            parts=tuple(task.FAIL_TO_PASS for task in tasks),
            model=", ".join(sorted({task.model for task in tasks if task.model})),
        )


class CombineFile(_Combine):
    """Bugs of one file."""

    name: ClassVar[str] = "combine_file"

    def group(self, part: _Part) -> str | None:
        """The one file."""
        return next(iter(part.edits)) if len(part.edits) == 1 else None

    def fits(self, parts: Sequence[_Part]) -> bool:
        """Always: the group is the file."""
        return len(_by_path(parts)) == 1


class CombineModule(_Combine):
    """Bugs of several files whose paths begin with the same folders."""

    name: ClassVar[str] = "combine_module"

    def group(self, part: _Part) -> str | None:
        """The folders, if all files of the part lie there."""
        folders = {"/".join(path.split("/")[:-1][:MODULE_DEPTH]) for path in part.edits}
        return folders.pop() if len(folders) == 1 else None

    def fits(self, parts: Sequence[_Part]) -> bool:
        """There are as many files as bugs, at least."""
        return len(_by_path(parts)) >= len(parts)


def _part(task: TaskInstance, ground: Ground) -> _Part | None:
    """None: the bug is not of this tree, is itself combined, or changes more than text of source files."""
    if task.repo != ground.repo or task.strategy in (CombineFile.name, CombineModule.name):
        return None
    try:
        after = patch.apply(task.bug_patch, ground.files.get)
        edits = {path: _edit(ground.sources[path], (data or b"").decode()) for path, data in after.items()}
    except (PatchDoesNotApply, KeyError, UnicodeDecodeError):
        return None
    return _Part(task, edits) if all(data is not None for data in after.values()) else None


def _edit(before: str, after: str) -> _Edit:
    start, end, new_end = changed_span(before, after)
    return _Edit(start, end, after[start:new_end])


def _grouped(parts: Sequence[_Part], key: Callable[[_Part], str | None]) -> list[list[_Part]]:
    """Groups of two or more, by name; a bug that came twice is in once."""
    groups: dict[str, dict[str, _Part]] = defaultdict(dict)
    for part in parts:
        name = key(part)
        if name is not None:
            groups[name][part.task.instance_id] = part
    found = ([group[each] for each in sorted(group)] for _, group in sorted(groups.items()))
    return [group for group in found if len(group) > 1]


def _by_path(parts: Sequence[_Part]) -> dict[str, list[_Edit]]:
    found: dict[str, list[_Edit]] = defaultdict(list)
    for part in parts:
        for path, edit in part.edits.items():
            found[path].append(edit)
    return {path: sorted(edits, key=lambda edit: (edit.start, edit.end)) for path, edits in found.items()}


def _apart(parts: Sequence[_Part]) -> bool:
    """No two parts touch each other: something that neither changes lies between them."""
    return all(
        first.end < second.start for edits in _by_path(parts).values() for first, second in itertools.pairwise(edits)
    )


def _edited(text: str, edits: Sequence[_Edit]) -> str:
    for edit in reversed(edits):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text
