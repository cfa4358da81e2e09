"""A patch file cut into what comes before its diff and the diff of each file.

Whatever wrote it: git, diff(1), quilt, Mercurial. Hunks are followed by the counts in their heads, so that a line of
code which looks like a head is none. What a hunk does is read by `patch.parse`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from swesmith_gym import patch
from swesmith_gym.errors import PatchDoesNotApply
from swesmith_gym.patch import FilePatch
from swesmith_gym.repos.changes.base import FileChange

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_STARTS = (b"diff --git ", b"Index: ", b"diff -")
_NEVER = b"1970-01-01"
"""Day of the time stamp that diff(1) gives a file that is not there."""


@dataclass
class _Section:
    head: bytes = b""
    """What followed `diff --git `."""
    renames: dict[bytes, bytes] = field(default_factory=dict)
    """`from` and `to`."""
    names: tuple[bytes, bytes] | None = None
    """What followed `--- ` and `+++ `."""
    hunks: list[bytes] = field(default_factory=list)
    irregular: bool = False
    """It is of a binary file, a link or a submodule."""


@dataclass(frozen=True, slots=True)
class Sections:
    """A patch file, taken apart."""

    head: bytes
    """All that stands before the first diff."""
    files: tuple[FileChange, ...]
    others: tuple[str, ...]
    """Paths of binary files, links and submodules."""


def read(data: bytes, strip: int | None = None) -> Sections:
    """Cut a patch file. `strip`: how many folders to take off its paths; None: as they look.

    Raises: PatchDoesNotApply (malformed, with the line; larger than a patch may be).
    """
    if len(data) > patch.MAX_PATCH_BYTES:
        raise PatchDoesNotApply(f"it has {len(data)} bytes: the limit is {patch.MAX_PATCH_BYTES}")
    lines = [part + b"\n" for part in data.removesuffix(b"\n").split(b"\n")]
    reader = _Reader(lines)
    reader.run()
    files = [(each, _paths(each, strip)) for each in reader.sections]
    return Sections(
        head=b"".join(lines[: reader.first]),
        files=tuple(_change(each, *names) for each, names in files if not each.irregular and any(names)),
        others=tuple(names[1] or names[0] or "?" for each, names in files if each.irregular),
    )


class _Reader:
    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.sections: list[_Section] = []
        self.first = len(lines)
        """Index of the line that the first diff starts at."""

    def run(self) -> None:
        at = 0
        expecting = False  # the line before belonged to a diff
        while at < len(self.lines):
            line = self.lines[at].rstrip(b"\r\n")
            if line.startswith((b"diff --cc ", b"diff --combined ")):
                raise PatchDoesNotApply(f"line {at + 1}: it is the combined diff of a merge, which cannot be undone")
            if self._names(at):
                at, expecting = at + 2, True
            elif expecting and line.startswith(b"@@"):
                at = self._hunk(at)
            elif expecting and self.sections[-1].hunks and re.match(rb"[+ ]|-(?!-)", line):
                raise PatchDoesNotApply(f"line {at + 1}: the hunk above has more lines than its head says")
            else:
                at, expecting = at + 1, False
                self._other(line, at - 1)

    def _names(self, at: int) -> bool:
        """`--- ` and `+++ ` stand here, and a hunk follows."""
        three = [line.rstrip(b"\r\n") for line in self.lines[at : at + 3]]
        if [line[:length] for line, length in zip(three, (4, 4, 2), strict=False)] != [b"--- ", b"+++ ", b"@@"]:
            return False
        if not self.sections or self.sections[-1].names:
            self._start(at)
        self.sections[-1].names = (three[0][4:], three[1][4:])
        return True

    def _start(self, at: int) -> None:
        self.first = min(self.first, at)
        self.sections.append(_Section())

    def _other(self, line: bytes, at: int) -> None:
        if line.startswith(_STARTS):
            self.first = min(self.first, at)
        if line.startswith(b"diff --git "):
            self._start(at)
            self.sections[-1].head = line.removeprefix(b"diff --git ")
        elif self.sections and not self.sections[-1].names:
            section = self.sections[-1]
            for kind in (b"from", b"to"):
                if line.startswith(b"rename " + kind + b" "):
                    section.renames[kind] = line.removeprefix(b"rename " + kind + b" ")
            section.irregular |= line == b"GIT binary patch" or line.startswith(b"Binary files ")
            section.irregular |= bool(re.match(rb"(?:new file mode|new mode|index \w+\.\.\w+) (?:120000|160000)", line))

    def _hunk(self, at: int) -> int:
        """Take one hunk in; gives the line behind it."""
        head = _HUNK.match(self.lines[at])
        if head is None:
            raise PatchDoesNotApply(f"line {at + 1}: not the head of a hunk")
        old, new = (int(count) if count is not None else 1 for count in head.groups())
        taken = [self.lines[at]]
        at += 1
        while old or new or (at < len(self.lines) and self.lines[at].startswith(b"\\ ")):
            line = self.lines[at] if at < len(self.lines) else b"?"
            line = b" " + line if line in (b"\n", b"\r\n") else line  # some tools strip the blank
            old -= line[:1] in (b" ", b"-")
            new -= line[:1] in (b" ", b"+")
            if line[:1] not in (b" ", b"-", b"+", b"\\") or old < 0 or new < 0:
                raise PatchDoesNotApply(f"line {at + 1}: the hunk does not have the lines that its head says")
            taken.append(line)
            at += 1
        self.sections[-1].hunks += taken
        return at


def _paths(section: _Section, strip: int | None) -> tuple[str | None, str | None]:
    """Paths before and after, relative to the tree; None: there is no such file.

    Raises: PatchDoesNotApply (a path leaves the tree, or has too few folders).
    """
    if section.names is None:
        if len(section.renames) == 2:
            old, new = (patch.safe_path(patch.header_name(section.renames[kind])) for kind in (b"from", b"to"))
            return old, new
        head = re.fullmatch(rb'"?a/(.+?)"? "?b/(.+?)"?', section.head) if section.irregular else None
        return (head[1].decode(errors="replace"), head[2].decode(errors="replace")) if head else (None, None)
    names = [None if _absent(section, side) else patch.header_name(section.names[side]) for side in (0, 1)]
    count = _folders([name for name in names if name is not None]) if strip is None else strip
    before, after = (None if name is None else patch.safe_path(_without(name, count)) for name in names)
    if before is not None and after is not None and not section.renames:
        before = after  # `x.py.orig` and the like
    return before, after


def _absent(section: _Section, side: int) -> bool:
    name, _, stamp = section.names[side].partition(b"\t") if section.names else (b"", b"", b"")
    if name.strip() == b"/dev/null":
        return True
    head = _HUNK.match(section.hunks[0]) if section.hunks else None
    return head is not None and stamp.startswith(_NEVER) and head[side + 1] == b"0"


def _folders(names: list[str]) -> int:
    """How many folders to take off: git's `a/` and `b/`, or the two trees that diff(1) was given."""
    firsts = {name.split("/", 1)[0] for name in names if "/" in name}
    if len(names) == 1:
        return int(all(len(first) == 1 for first in firsts) and bool(firsts))
    return int(len(firsts) == 2)


def _without(name: str, count: int) -> str:
    parts = name.split("/")
    if len(parts) <= count:
        raise PatchDoesNotApply(f"the path {name!r} has no {count} folders to take off")
    return "/".join(parts[count:])


def _change(section: _Section, old: str | None, new: str | None) -> FileChange:
    text = b"--- a/file\n+++ b/file\n" + b"".join(section.hunks)
    parsed = patch.parse(text.decode("utf-8", "surrogateescape")) if section.hunks else ()
    return FileChange(FilePatch(old, new, parsed[0].hunks if parsed else ()))
