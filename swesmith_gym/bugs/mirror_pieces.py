"""Which parts of a real change are taken back together, each as a bug of its own. Nothing is taken back here.

A change stays whole where it keeps to the limits. What is larger, and always what holds many changes in one (a
release), is taken apart (`mirror_groups`). Where a group is too large, its places are groups of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from swesmith_gym.bugs.base import Ground
from swesmith_gym.bugs.mirror_groups import Part, by_place, files_of, linked, names_of
from swesmith_gym.errors import PatchDoesNotApply
from swesmith_gym.patch import apply_parsed, reverse
from swesmith_gym.repos.changes import base
from swesmith_gym.repos.changes.base import FileChange, SourceChange


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one bug. What is larger is no task for anybody."""

    files: int = 8
    lines: int = 500
    """Taken out and put in, all files together."""
    file_lines: int = 10_000
    """Of a file, before or after."""

    def hold(self, files: Sequence[FileChange]) -> bool:
        """Number of files and of lines are within the limits."""
        return len(files) <= self.files and sum(file.lines for file in files) <= self.lines


@dataclass(frozen=True, slots=True)
class Piece:
    """What is taken back as one bug, or why there is none."""

    change: SourceChange
    files: tuple[FileChange, ...]
    where: str = ""
    """Functions and classes that it touches, where it is a part of its change."""
    reason: str = ""
    """One of REJECTION_REASONS; empty: it can be tried."""
    detail: str = ""


def pieces(change: SourceChange, ground: Ground, limits: Limits) -> Iterator[Piece]:
    """Everything of a change that can be tried, and what cannot, with the reason."""
    if change.fault:
        yield Piece(change, (), reason="patch_does_not_apply", detail=change.fault)
        return
    code = [file for file in change.files if _is_code(file, ground)]
    short = tuple(file for file in code if _length(file, ground) <= limits.file_lines)
    if not short:
        named = ", ".join(path for file in change.files for path in file.paths) or ", ".join(change.others)
        why = f"its files have more than {limits.file_lines} lines" if code else f"no code that may be changed: {named}"
        yield Piece(change, change.files, reason="too_large" if code else "no_source", detail=why[:300])
    elif not change.in_groups and limits.hold(short):
        yield Piece(change, short)
    else:
        yield from _taken_apart(change, short, ground, limits)


def _is_code(file: FileChange, ground: Ground) -> bool:
    """It is code off the tests, and as text: on every path that it has or had."""
    readable = all(path not in ground.files or path in ground.sources for path in file.paths)
    return readable and all(map(ground.holds_bugs, file.paths))


def _length(file: FileChange, ground: Ground) -> int:
    texts = [file.before, file.after, *(ground.files.get(path) for path in file.paths)]
    return max((text.count(b"\n") for text in texts if text is not None), default=0)


def _taken_apart(change: SourceChange, files: Sequence[FileChange], ground: Ground, limits: Limits) -> Iterator[Piece]:
    known = [_with_texts(file, ground) for file in files]
    parts = [Part(number, file, ground.language) for number, file in enumerate(known) if file.whole]
    for group in linked(parts):
        whole = _piece(change, files_of(group, parts), limits, names_of(group))
        if not whole.reason:
            yield whole
            continue
        for blocks in by_place(group):
            yield _piece(change, files_of(blocks, parts), limits, names_of(blocks))
    yield from (_piece(change, (file,), limits) for file in known if not file.whole)


def _piece(change: SourceChange, files: tuple[FileChange, ...], limits: Limits, where: str = "") -> Piece:
    if limits.hold(files):
        return Piece(change, files, where)
    lines = sum(file.lines for file in files)
    size = f"{len(files)} files, {lines} changed lines; the limits are {limits.files} and {limits.lines}"
    return Piece(change, files, where, "too_large", size)


def _with_texts(file: FileChange, ground: Ground) -> FileChange:
    """The same with its texts, where the tree is as the change left it."""
    path = file.patch.after
    if file.whole or path is None or path != file.patch.before:
        return file
    try:
        before = apply_parsed((reverse(file.patch),), ground.files.get)[path]
    except PatchDoesNotApply:
        return file
    return base.of_texts(path, path, before, ground.files[path]) or file
