"""What a change is: what it did to each file, and what people wrote of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from swesmith_gym import diff, patch
from swesmith_gym.patch import FilePatch, Hunk

MAX_FILE_BYTES = 4 << 20
"""A larger file is no source that a person wrote: it is named among the others."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """What a change did to one file."""

    patch: FilePatch
    before: bytes | None = None
    """The whole file before, for a three-way merge; None: there was none, or it is not known."""
    after: bytes | None = None
    """The same, after."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Its path after, and before where that is another one."""
        found = (self.patch.after, self.patch.before)
        return tuple(dict.fromkeys(path for path in found if path is not None))

    @property
    def whole(self) -> bool:
        """It was changed, not made or deleted, and both texts are known."""
        return None not in (self.patch.before, self.patch.after, self.before, self.after)

    @property
    def lines(self) -> int:
        """How many lines it takes out and puts in."""
        return sum(b - a + d - c for hunk in self.patch.hunks for a, b, c, d in blocks(hunk))


@dataclass(frozen=True, slots=True)
class SourceChange:
    """A change that real people made to a repository."""

    name: str
    """The start of a commit's id, the name of a patch file, or `1.0..1.1`."""
    files: tuple[FileChange, ...]
    text: str = ""
    """What was written of it: a commit's message, a patch's description. Empty: nothing."""
    origin: str = ""
    """Where it comes from, as its header says it."""
    others: tuple[str, ...] = ()
    """Paths of what it changes as well and is no text, or no code."""
    in_groups: bool = False
    """It is many changes in one, as a release is: each is to be looked at by itself."""
    fault: str = ""
    """Why it cannot be read; it has no files then."""


def of_texts(old: str | None, new: str | None, before: bytes | None, after: bytes | None) -> FileChange | None:
    """A file's change by its paths and its texts, None where there is none. None: it is no text, or too large."""
    if any(b"\0" in data or len(data) > MAX_FILE_BYTES for data in (before or b"", after or b"")):
        return None
    text = diff.of_changes([diff.Change("file", before or b"", after or b"")])
    hunks = patch.parse(text)[0].hunks if text else ()
    return FileChange(FilePatch(old, new, hunks), before, after)


def blocks(hunk: Hunk) -> Iterator[diff.Block]:
    """What a hunk changes, without what it only shows: lines [a, b) of its old ones became [c, d) of the new."""
    for tag, a, b, c, d in SequenceMatcher(None, hunk.old, hunk.new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield a, b, c, d


def rendered(files: tuple[FilePatch, ...]) -> str:
    """Diffs of files, for people and models. What is shown only for context is as long as it was."""
    return "".join(part for each in files for part in _rendered(each))


def _rendered(file: FilePatch) -> Iterator[str]:
    yield f"--- {'/dev/null' if file.before is None else 'a/' + file.before}\n"
    yield f"+++ {'/dev/null' if file.after is None else 'b/' + file.after}\n"
    shift = 0
    for hunk in file.hunks:
        old, new = hunk.start + bool(hunk.old), hunk.start + shift + bool(hunk.new)
        yield f"@@ -{old},{len(hunk.old)} +{new},{len(hunk.new)} @@\n"
        at = 0
        for a, b, c, d in blocks(hunk):
            yield from (_line(" ", line) for line in hunk.old[at:a])
            yield from (_line("-", line) for line in hunk.old[a:b])
            yield from (_line("+", line) for line in hunk.new[c:d])
            at = b
        yield from (_line(" ", line) for line in hunk.old[at:])
        shift += len(hunk.new) - len(hunk.old)


def _line(mark: str, line: bytes) -> str:
    text = mark + line.decode("utf-8", "surrogateescape")
    return text if text.endswith("\n") else f"{text}\n\\ No newline at end of file\n"
