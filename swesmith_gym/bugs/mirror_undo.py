"""Taking a real change back in a tree that has moved on: exactly, else by a three-way merge, else by asking a model.

A change is taken back as a whole or not at all. Whether what comes out is a bug is not judged here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from swesmith_gym.bugs.base import After, Ground
from swesmith_gym.errors import CandidateRejected, PatchDoesNotApply, ProfileError
from swesmith_gym.patch import apply_parsed, reverse
from swesmith_gym.repos.changes.base import FileChange
from swesmith_gym.repos.changes.merging import merged

HOW = ("reverse", "three_way", "lm")
"""From the surest to the last resort."""


@dataclass(frozen=True, slots=True)
class Undone:
    """A tree without the change."""

    after: After
    how: str
    """One of HOW: of the file that was the hardest."""


Ask = Callable[[FileChange, bytes], bytes]
"""Gives the file without the change. Raises: CandidateRejected, LMError."""


def undo(files: Sequence[FileChange], ground: Ground, ask: Ask | None = None) -> Undone:
    """The files of `ground` without what a change did to them.

    Raises: CandidateRejected (`patch_does_not_apply`, or why an answer of the model is of no use), LMError.
    """
    back = tuple(reverse(file.patch) for file in files)
    try:
        return Undone(apply_parsed(back, ground.files.get), "reverse")
    except PatchDoesNotApply as error:
        first = str(error)
    if len({path for file in files for path in file.paths}) < sum(len(file.paths) for file in files):
        raise CandidateRejected(reason="patch_does_not_apply", detail=first)
    results = [_undone(file, ground, ask) for file in files]
    after = {path: data for each in results for path, data in each.after.items()}
    return Undone(after, max((each.how for each in results), key=HOW.index))


def _undone(file: FileChange, ground: Ground, ask: Ask | None) -> Undone:
    try:
        return Undone(apply_parsed((reverse(file.patch),), ground.files.get), "reverse")
    except PatchDoesNotApply as error:
        why = [str(error)]
    after, before = file.patch.after, file.patch.before
    if after is None or before is None or after not in ground.files or (after != before and before in ground.files):
        raise CandidateRejected(reason="patch_does_not_apply", detail=why[0])
    now = ground.files[after]
    moved: dict[str, bytes | None] = {} if after == before else {after: None}
    try:
        if file.whole and (text := merged(file.after or b"", now, file.before or b"")) is not None:
            return Undone({**moved, before: text}, "three_way")
        why.append("a three-way merge overlaps" if file.whole else "there are no whole files to merge")
    except ProfileError as error:
        why.append(str(error))
    if ask is None:
        raise CandidateRejected(reason="patch_does_not_apply", detail="; ".join(why))
    return Undone({**moved, before: ask(file, now)}, "lm")


def faults(after: After, ground: Ground) -> Iterator[tuple[str, str]]:
    """Why the files are no bug, as far as their text tells: a reason and what of."""
    if all(ground.files.get(path) == data for path, data in after.items()):
        yield "unchanged", "the tree is already without the change"
        return
    same = []
    for path, data in after.items():
        try:
            text = None if data is None else data.decode()
        except UnicodeDecodeError as error:
            yield "syntax_error", f"{path}: not UTF-8: {error.reason} at {error.start}"
            continue
        if text is not None and (error_text := ground.language.syntax_error(text)):
            yield "syntax_error", f"{path}: {error_text}"
        was = ground.sources.get(path)
        same.append(text is not None and was is not None and ground.language.equivalent(was, text))
    if all(same):
        yield "equivalent", ", ".join(sorted(after))
