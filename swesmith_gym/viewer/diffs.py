"""A unified diff as data for a template: files, numbered lines, and which words of a line changed.

For looking at: it accepts anything, and applies nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_TOKEN = re.compile(r"\w+|\s+|.", re.S)
MAX_LINES = 2_000
"""Lines of one diff that are shown."""
_MAX_WORDS_LINE = 400
"""Characters of a line beyond which changed words are not looked for."""

Pieces = tuple[tuple[bool, str], ...]
"""(changed, text), in order."""


@dataclass(slots=True)
class Line:
    """One line of a hunk, or a note between lines."""

    kind: str
    """`add`, `del`, `same`, `hunk` or `note`."""
    pieces: Pieces
    old: int | None = None
    new: int | None = None


@dataclass(slots=True)
class FileDiff:
    """What a diff does to one file."""

    path: str
    added: int = 0
    removed: int = 0
    lines: list[Line] = field(default_factory=list)


def parse(patch: str, *, words: bool = True) -> list[FileDiff]:
    """The files of a unified diff, at most `MAX_LINES` lines in all. Never raises. `words`: find changed words."""
    files: list[FileDiff] = []
    old = new = old_left = new_left = shown = 0
    for raw in patch.split("\n"):
        if old_left > 0 or new_left > 0 or raw.startswith("\\"):
            kind = {"+": "add", "-": "del", "\\": "note"}.get(raw[:1], "same")
            shown += _put(files, Line(kind, ((False, raw[1:]),), *_numbers(kind, old, new)), shown)
            takes_old, takes_new = kind in ("del", "same"), kind in ("add", "same")
            old, new, old_left, new_left = old + takes_old, new + takes_new, old_left - takes_old, new_left - takes_new
        elif hunk := _HUNK.match(raw):
            old, new = int(hunk[1]), int(hunk[3])
            old_left, new_left = int(hunk[2] or 1), int(hunk[4] or 1)
            shown += _put(files, Line("hunk", ((False, raw),)), shown)
        else:
            _header(files, raw)
    for file in files if words else ():
        _mark_words(file.lines)
    return files


@lru_cache(maxsize=16_384)
def edited_lines(patch: str) -> int:
    """Lines that a unified diff adds or removes."""
    return sum(file.added + file.removed for file in parse(patch, words=False))


def _numbers(kind: str, old: int, new: int) -> tuple[int | None, int | None]:
    return (old if kind in ("del", "same") else None, new if kind in ("add", "same") else None)


def _put(files: list[FileDiff], line: Line, shown: int) -> int:
    if not files:
        files.append(FileDiff("?"))
    files[-1].added += line.kind == "add"
    files[-1].removed += line.kind == "del"
    if shown == MAX_LINES:
        files[-1].lines.append(Line("note", ((False, "the rest of this diff is not shown"),)))
    elif shown < MAX_LINES:
        files[-1].lines.append(line)
    return 1


def _header(files: list[FileDiff], raw: str) -> None:
    """A line outside of hunks: only those that name a file count."""
    if raw.startswith("diff --git "):
        files.append(FileDiff(raw.rpartition(" b/")[2]))
    elif raw.startswith("--- ") and (not files or files[-1].lines):
        files.append(FileDiff(_path(raw)))
    elif raw.startswith("+++ ") and files and not raw.startswith("+++ /dev/null"):
        files[-1].path = _path(raw)


def _path(raw: str) -> str:
    return re.sub(r"^[ab]/", "", raw[4:].partition("\t")[0])


def _mark_words(lines: list[Line]) -> None:
    """Find what changed inside lines that were replaced one for one."""
    for gone, came in _replaced(lines):
        for before, after in zip(gone, came, strict=True):
            before.pieces, after.pieces = _compare(before.pieces[0][1], after.pieces[0][1])


def _replaced(lines: list[Line]) -> Iterator[tuple[list[Line], list[Line]]]:
    index = 0
    while index < len(lines):
        gone = _run(lines, index, "del")
        came = _run(lines, index + len(gone), "add")
        if gone and len(gone) == len(came):
            yield gone, came
        index += len(gone) + len(came) or 1


def _run(lines: list[Line], start: int, kind: str) -> list[Line]:
    end = start
    while end < len(lines) and lines[end].kind == kind:
        end += 1
    return lines[start:end]


def _compare(before: str, after: str) -> tuple[Pieces, Pieces]:
    if max(len(before), len(after)) > _MAX_WORDS_LINE:
        return ((False, before),), ((False, after),)
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < 0.4:
        return ((False, before),), ((False, after),)
    blocks = matcher.get_opcodes()
    return (
        tuple((tag != "equal", "".join(old[i:j])) for tag, i, j, _, _ in blocks if j > i),
        tuple((tag != "equal", "".join(new[i:j])) for tag, _, _, i, j in blocks if j > i),
    )
