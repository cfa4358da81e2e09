"""Which parts of a real change are taken back together, each as a bug of its own. Nothing is taken back here.

A change stays whole where it keeps to the limits. What is larger, and always what holds many changes in one (a
release), is taken apart:

1. What a change does to a file is cut into blocks of lines. A block belongs to the function that its lines lie in, else
   to the class, else to itself; blocks of one place are taken back together.
2. Blocks also stay together where one needs the other: both hold a word that only one side of the file has, and that is
   the name of a function or class there, or stands outside of every function (an import, a constant, a parent class).
   Where such a word is on one side of all files only, this holds across files.
3. Where that makes a group too large, its places are groups of their own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from swesmith_gym.bugs.base import Ground
from swesmith_gym.errors import PatchDoesNotApply
from swesmith_gym.languages.base import Language
from swesmith_gym.patch import apply_parsed, reverse, split_lines
from swesmith_gym.records import CodeEntity
from swesmith_gym.repos.changes import base
from swesmith_gym.repos.changes.base import FileChange, SourceChange

_WORD = re.compile(rb"[^\W\d]\w+")


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
    parts = [_Part(number, file, ground.language) for number, file in enumerate(known) if file.whole]
    for group in _linked([block for part in parts for block in part.blocks], parts):
        for blocks in [group] if limits.hold(_files(group, parts)) else _by_place(group):
            found = _files(blocks, parts)
            where = ", ".join(dict.fromkeys(block.name for block in blocks if block.name))
            if limits.hold(found):
                yield Piece(change, found, where)
            else:
                yield Piece(change, found, where, "too_large", _size(found, limits))
    for file in known:
        if not file.whole:
            fits = limits.hold([file])
            yield Piece(change, (file,), reason="" if fits else "too_large", detail=_size([file], limits))


def _size(files: Sequence[FileChange], limits: Limits) -> str:
    lines = sum(file.lines for file in files)
    return f"{len(files)} files, {lines} changed lines; the limits are {limits.files} and {limits.lines}"


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


@dataclass(frozen=True)
class _Block:
    """Lines [a, b) of the file before that became lines [c, d) of the file after."""

    file: int
    a: int
    b: int
    c: int
    d: int
    place: str
    """Blocks of one file with equal places are one."""
    name: str
    """Of the function or class; empty: outside of all."""
    inside: bool
    """It lies in a function."""
    words: tuple[frozenset[bytes], frozenset[bytes]]
    """Of its lines before and after."""


class _Part:
    """One file of a change, both texts known."""

    def __init__(self, number: int, file: FileChange, language: Language) -> None:
        self.number = number
        self.file = file
        self.path = file.paths[0]
        self.language = language
        self.texts = (file.before or b"", file.after or b"")
        self.lines = (split_lines(self.texts[0]), split_lines(self.texts[1]))

    @cached_property
    def entities(self) -> tuple[list[CodeEntity], list[CodeEntity]]:
        """Of both texts; none where one does not parse."""
        before, after = (self._entities(text) for text in self.texts)
        return before, after

    def _entities(self, text: bytes) -> list[CodeEntity]:
        try:
            return self.language.entities(self.path, text.decode())
        except (SyntaxError, UnicodeDecodeError):
            return []

    @cached_property
    def words(self) -> tuple[frozenset[bytes], frozenset[bytes]]:
        """Of both texts."""
        return _words(self.texts[:1]), _words(self.texts[1:])

    @cached_property
    def blocks(self) -> list[_Block]:
        """All that the change does to the file."""
        found = []
        shift = 0
        for hunk in self.file.patch.hunks:
            for a, b, c, d in base.blocks(hunk):
                start, new = hunk.start, hunk.start + shift
                found.append(self._block(a + start, b + start, c + new, d + new))
            shift += len(hunk.new) - len(hunk.old)
        return found

    def _block(self, a: int, b: int, c: int, d: int) -> _Block:
        spans = (_without_blanks(self.lines[0], a, b), _without_blanks(self.lines[1], c, d))
        side = 1 if spans[1][0] < spans[1][1] else 0
        around = [e for e in self.entities[side] if e.start - 1 <= spans[side][0] and spans[side][1] <= e.end]
        around.sort(key=lambda each: each.start - each.end)  # the largest first
        functions = [each for each in around if each.kind == "function"]
        entity = functions[0] if functions else around[-1] if around else None
        return _Block(
            self.number, a, b, c, d,
            place=entity.name if entity else f"{a}:{c}",
            name=entity.name if entity else "",
            inside=bool(functions),
            words=(_words(self.lines[0][a:b]), _words(self.lines[1][c:d])),
        )  # fmt: skip

    def without(self, blocks: Sequence[_Block]) -> FileChange:
        """The change of these blocks only, on the way to the file after."""
        lines: list[bytes] = []
        at = 0
        for each in blocks:
            lines += self.lines[1][at : each.c] + self.lines[0][each.a : each.b]
            at = each.d
        lines += self.lines[1][at:]
        found = base.of_texts(self.path, self.path, b"".join(lines), self.texts[1])
        assert found is not None, "made of texts"
        return found


def _without_blanks(lines: list[bytes], first: int, end: int) -> tuple[int, int]:
    while first < end and not lines[first].strip():
        first += 1
    while first < end and not lines[end - 1].strip():
        end -= 1
    return first, end


def _words(lines: Iterable[bytes]) -> frozenset[bytes]:
    return frozenset(word for line in lines for word in _WORD.findall(line))


def _files(blocks: Sequence[_Block], parts: Sequence[_Part]) -> tuple[FileChange, ...]:
    chosen = defaultdict(list)
    for each in blocks:
        chosen[each.file].append(each)
    return tuple(part.without(chosen[part.number]) for part in parts if part.number in chosen)


def _by_place(blocks: Iterable[_Block]) -> list[list[_Block]]:
    places: dict[tuple[int, str], list[_Block]] = {}
    for each in blocks:
        places.setdefault((each.file, each.place), []).append(each)
    return list(places.values())


def _linked(blocks: list[_Block], parts: Sequence[_Part]) -> list[list[_Block]]:
    """Groups of blocks that are taken back together, in order of their first block."""
    leader = list(range(len(blocks)))

    def find(at: int) -> int:
        while leader[at] != at:
            at = leader[at]
        return at

    first: dict[tuple[object, ...], int] = {}
    for number, keys in enumerate(_keys(blocks, parts)):
        for key in keys:
            one, other = sorted((find(first.setdefault(key, number)), find(number)))
            leader[other] = one
    groups: dict[int, list[_Block]] = {}
    for number, each in enumerate(blocks):
        groups.setdefault(find(number), []).append(each)
    return list(groups.values())


def _keys(blocks: Sequence[_Block], parts: Sequence[_Part]) -> Iterator[list[tuple[object, ...]]]:
    """For each block what it shares with those that it stays together with."""
    by_number = {part.number: part for part in parts}
    named = _named(blocks, parts)
    everywhere = tuple(frozenset[bytes]().union(*(part.words[side] for part in parts)) for side in (0, 1))
    for each in blocks:
        keys: list[tuple[object, ...]] = [(each.file, each.place)]
        words = by_number[each.file].words
        for side in (0, 1):
            own = each.words[side] & named[side]
            keys += [(each.file, side, word) for word in sorted(own - words[1 - side])]
            keys += [(side, word) for word in sorted(own - everywhere[1 - side])]
        yield keys


def _named(blocks: Sequence[_Block], parts: Sequence[_Part]) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """Words that one side gives a meaning to for more than one function: before, after."""
    found: tuple[set[bytes], set[bytes]] = (set(), set())
    for side in (0, 1):
        for part in parts:
            found[side].update(each.name.rpartition(".")[2].encode() for each in part.entities[side])
        for each in blocks:
            if not each.inside:
                found[side].update(each.words[side])
    return frozenset(found[0]), frozenset(found[1])
