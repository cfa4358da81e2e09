"""Lines of a change that are taken back together, where the change as a whole is too much for one bug.

1. What a change does to a file is cut into blocks of lines. A block belongs to the function that its lines lie in, else
   to the class, else to the lines around it down to the next blank ones; blocks of one place are taken back together.
2. Blocks also stay together where one needs the other: they share a word that no other line of the file has, before or
   after, and that has a meaning for more than one function: it is the name of a function or class, stands outside of
   every function (an import, a constant, a parent class), or is a member that is assigned. Where such a word is on one
   side of all files only, this holds across files.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from swesmith_gym.languages.base import Language
from swesmith_gym.patch import split_lines
from swesmith_gym.records import CodeEntity
from swesmith_gym.repos.changes import base
from swesmith_gym.repos.changes.base import FileChange

_WORD = re.compile(rb"[^\W\d]\w+")
_ASSIGNED = re.compile(rb"(?:\.|->)(\w\w+)\s*(?:\S{1,2}=|=)(?!=)")


@dataclass(frozen=True)
class Block:
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
    texts: tuple[bytes, bytes]
    """Its lines before and after."""
    words: tuple[Counter[bytes], Counter[bytes]]
    """Of its lines before and after."""


class Part:
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
    def words(self) -> tuple[Counter[bytes], Counter[bytes]]:
        """Of both texts."""
        return _words(self.texts[0]), _words(self.texts[1])

    @cached_property
    def changed_words(self) -> frozenset[bytes]:
        """Those that no line has which stays as it is."""
        changed = [sum((block.words[side] for block in self.blocks), Counter[bytes]()) for side in (0, 1)]
        mentioned = changed[0].keys() | changed[1].keys()
        return frozenset(w for w in mentioned if all(changed[side][w] == self.words[side][w] for side in (0, 1)))

    @cached_property
    def blocks(self) -> list[Block]:
        """All that the change does to the file."""
        found = []
        shift = 0
        for hunk in self.file.patch.hunks:
            for a, b, c, d in base.blocks(hunk):
                start, new = hunk.start, hunk.start + shift
                found.append(self._block(a + start, b + start, c + new, d + new))
            shift += len(hunk.new) - len(hunk.old)
        return found

    def _block(self, a: int, b: int, c: int, d: int) -> Block:
        spans = (_without_blanks(self.lines[0], a, b), _without_blanks(self.lines[1], c, d))
        side = 1 if spans[1][0] < spans[1][1] else 0
        around = [e for e in self.entities[side] if e.start - 1 <= spans[side][0] and spans[side][1] <= e.end]
        around.sort(key=lambda each: each.start - each.end)  # the largest first
        functions = [each for each in around if each.kind == "function"]
        entity = functions[0] if functions else around[-1] if around else None
        texts = (b"".join(self.lines[0][a:b]), b"".join(self.lines[1][c:d]))
        return Block(
            self.number, a, b, c, d,
            place=entity.name if entity else f"paragraph {self._paragraph(c)}",
            name=entity.name if entity else "",
            inside=bool(functions),
            texts=texts,
            words=(_words(texts[0]), _words(texts[1])),
        )  # fmt: skip

    def _paragraph(self, at: int) -> int:
        """First line of those around one that no blank line parts."""
        while at > 0 and self.lines[1][at - 1].strip():
            at -= 1
        return at

    def without(self, blocks: Sequence[Block]) -> FileChange:
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


def _words(text: bytes) -> Counter[bytes]:
    return Counter(_WORD.findall(text))


def files_of(blocks: Sequence[Block], parts: Sequence[Part]) -> tuple[FileChange, ...]:
    """The change of these blocks, file by file."""
    chosen = defaultdict(list)
    for each in blocks:
        chosen[each.file].append(each)
    return tuple(part.without(chosen[part.number]) for part in parts if part.number in chosen)


def names_of(blocks: Sequence[Block]) -> str:
    """Functions and classes that they lie in."""
    return ", ".join(dict.fromkeys(block.name for block in blocks if block.name))


def by_place(blocks: Iterable[Block]) -> list[list[Block]]:
    """A group for each place, in order of appearance."""
    places: dict[tuple[int, str], list[Block]] = {}
    for each in blocks:
        places.setdefault((each.file, each.place), []).append(each)
    return list(places.values())


def linked(parts: Sequence[Part]) -> list[list[Block]]:
    """Groups of blocks that are taken back together, in order of their first block."""
    blocks = [block for part in parts for block in part.blocks]
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
    groups: dict[int, list[Block]] = {}
    for number, each in enumerate(blocks):
        groups.setdefault(find(number), []).append(each)
    return list(groups.values())


def _keys(blocks: Sequence[Block], parts: Sequence[Part]) -> Iterator[list[tuple[object, ...]]]:
    """For each block what it shares with those that it stays together with."""
    by_number = {part.number: part for part in parts}
    named = _named(blocks, parts)
    everywhere = [frozenset[bytes]().union(*(part.words[side] for part in parts)) for side in (0, 1)]
    for each in blocks:
        mentioned = named & (each.words[0].keys() | each.words[1].keys())
        keys: list[tuple[object, ...]] = [("place", each.file, each.place)]
        keys += [(each.file, word) for word in sorted(mentioned & by_number[each.file].changed_words)]
        keys += [(word,) for word in sorted(mentioned) if (word in everywhere[0]) != (word in everywhere[1])]
        yield keys


def _named(blocks: Sequence[Block], parts: Sequence[Part]) -> frozenset[bytes]:
    """Words that have a meaning for more than one function, before or after."""
    found: set[bytes] = set()
    for part in parts:
        found.update(each.name.rpartition(".")[2].encode() for entities in part.entities for each in entities)
    for each in blocks:
        for side in (0, 1):
            found.update(_ASSIGNED.findall(each.texts[side]) if each.inside else each.words[side])
    return frozenset(found)
