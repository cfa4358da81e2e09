"""Unified diffs as data: parsed with `unidiff`, applied strictly, on bytes, to files held in memory.

No fuzz, no `patch(1)`, no git: a hunk's context must be found exactly, at its line or at the nearest
other place, and a path never leaves the tree. Making diffs is `diff.py`'s job.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from swesmith_gym.errors import PatchDoesNotApply

MAX_PATCH_BYTES = 8 << 20
_FORBIDDEN_MODES = re.compile(r"^(?:new file mode|new mode|index \w+\.\.\w+) (?:120000|160000)", re.MULTILINE)
_BINARY = re.compile(rb"^(?:GIT binary patch|Binary files .* differ)$", re.MULTILINE)
_ESCAPES = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13, b'"': 34, b"\\": 92}
_ENCODING = "latin-1"  # one character a byte: text that is not UTF-8 survives


@dataclass(frozen=True, slots=True)
class Hunk:
    """A run of lines to find (`old`) and what replaces them (`new`), line ends included."""

    start: int
    """Line of `old` in the file before, counted from 0; where `old` is empty, the line to insert before."""
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class FilePatch:
    """What a diff does to one file. `before` None: it is made; `after` None: it is deleted."""

    before: str | None
    after: str | None
    hunks: tuple[Hunk, ...]
    executable: bool | None = None
    """The mode that the diff asks for; None: as it was."""


def parse(text: str) -> tuple[FilePatch, ...]:
    """The file patches of a diff, in order. Raises: PatchDoesNotApply (malformed, binary, unsafe path or mode)."""
    from unidiff import PatchSet  # type: ignore[attr-defined]
    from unidiff.errors import UnidiffParseError

    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise PatchDoesNotApply(f"the patch holds half a character at {error.start}: it is no UTF-8 text") from error
    if len(raw) > MAX_PATCH_BYTES:
        raise PatchDoesNotApply(f"the patch has {len(raw)} bytes: the limit is {MAX_PATCH_BYTES}")
    if _BINARY.search(raw):
        raise PatchDoesNotApply("the patch holds a binary file: only text can be patched")
    if _FORBIDDEN_MODES.search(raw.decode(_ENCODING)):
        raise PatchDoesNotApply("the patch makes a link or a submodule: only regular files can be patched")
    if raw and not raw.endswith(b"\n"):
        raw += b"\n"
    try:
        patches = PatchSet(io.StringIO(raw.decode(_ENCODING), newline="\n"), metadata_only=False)
    except UnidiffParseError as error:
        raise PatchDoesNotApply(f"the patch is malformed: {error}") from error
    if not patches and raw.strip():
        raise PatchDoesNotApply("the patch holds no file header (`--- a/…`, `+++ b/…`)")
    return tuple(_file_patch(each) for each in patches)


def _file_patch(parsed: object) -> FilePatch:
    source, target = _name(parsed.source_file, "a/"), _name(parsed.target_file, "b/")  # type: ignore[attr-defined]
    if source is None and target is None:
        raise PatchDoesNotApply("a file patch names no file")
    mode = re.search(r"^new (?:file )?mode 100(\d{3})", str(parsed.patch_info or ""), re.MULTILINE)  # type: ignore[attr-defined]
    return FilePatch(
        before=source,
        after=target,
        hunks=tuple(_hunk(each) for each in parsed),  # type: ignore[attr-defined]
        executable=mode.group(1) == "755" if mode else None,
    )


def _hunk(parsed: object) -> Hunk:
    old: list[bytes] = []
    new: list[bytes] = []
    last: list[list[bytes]] = []
    for line in parsed:  # type: ignore[attr-defined]
        value = line.value.encode(_ENCODING)
        if line.line_type == "\\":
            for side in last:
                side[-1] = side[-1].removesuffix(b"\n")
            continue
        last = [side for side, kinds in ((old, " -"), (new, " +")) if (line.line_type or " ") in kinds]
        for side in last:
            side.append(value)
    first = parsed.source_start  # type: ignore[attr-defined]
    return Hunk(start=max(first - 1, 0) if old else first, old=tuple(old), new=tuple(new))


def _name(header: str | None, prefix: str) -> str | None:
    if not header or header == "/dev/null":
        return None
    return safe_path(header_name(header.encode(_ENCODING)).removeprefix(prefix))


def header_name(header: bytes) -> str:
    """The name in what follows `--- ` or `+++ `: without a time stamp, and without git's quotes."""
    name = header.split(b"\t")[0]
    if len(name) > 1 and name.startswith(b'"') and name.endswith(b'"'):
        name = re.sub(rb'\\([0-3][0-7]{2}|[abtnvfr"\\])', _unescaped, name[1:-1])
    return name.decode("utf-8", "surrogateescape")


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match.group(1)
    return bytes([_ESCAPES[code] if code in _ESCAPES else int(code, 8)])


def safe_path(path: str) -> str:
    """`path` if it stays inside a tree and outside git's own folder. Raises: PatchDoesNotApply."""
    parts = path.split("/")
    if path.startswith("/") or "\0" in path or any(p in ("", ".", "..") or p.lower() == ".git" for p in parts):
        raise PatchDoesNotApply(f"the path {path!r} leaves the tree or enters git's folder")
    return path


def touched(text: str) -> frozenset[str]:
    """Every path that a diff changes, makes or deletes. Raises: PatchDoesNotApply."""
    return frozenset(name for each in parse(text) for name in (each.before, each.after) if name is not None)


def apply(text: str, read: Callable[[str], bytes | None]) -> dict[str, bytes | None]:
    """The files that a diff changes, as they are afterwards: path -> content, None where it deletes one.

    `read` gives a file's content before, None where there is none. Raises: PatchDoesNotApply.
    """
    return apply_parsed(parse(text), read)


def apply_parsed(patches: tuple[FilePatch, ...], read: Callable[[str], bytes | None]) -> dict[str, bytes | None]:
    """As `apply`. Raises: PatchDoesNotApply."""
    changed: dict[str, bytes | None] = {}
    _check_apart(patches)

    def now(path: str) -> bytes | None:
        return changed[path] if path in changed else read(path)

    for each in patches:
        before = now(each.before) if each.before is not None else b""
        if before is None:
            raise PatchDoesNotApply(f"{each.before}: there is no such file")
        if each.before is None and each.after is not None and now(each.after) is not None:
            raise PatchDoesNotApply(f"{each.after}: the patch makes this file, but it exists")
        after = _apply_hunks(before, each)
        if each.before is None and each.after is not None:
            for parent in PurePosixPath(each.after).parents:
                if str(parent) != "." and now(str(parent)) is not None:
                    raise PatchDoesNotApply(f"{each.after}: {parent} is a file")
        if each.before is not None and each.before != each.after:
            changed[each.before] = None
        if each.after is None:
            if after:
                raise PatchDoesNotApply(f"{each.before}: the patch deletes this file, but leaves text in it")
        else:
            changed[each.after] = after
    return changed


def reverse(patch: FilePatch) -> FilePatch:
    """What takes a file patch back. Modes stay as they are."""
    hunks = []
    shift = 0
    for each in patch.hunks:
        hunks.append(Hunk(each.start + shift, each.new, each.old))
        shift += len(each.new) - len(each.old)
    return FilePatch(patch.after, patch.before, tuple(hunks))


def _check_apart(patches: tuple[FilePatch, ...]) -> None:
    """Raises: PatchDoesNotApply where a file is patched twice."""
    for names in ([each.before for each in patches], [each.after for each in patches]):
        seen = [name for name in names if name is not None]
        if len(seen) != len(set(seen)):
            raise PatchDoesNotApply(f"{max(seen, key=seen.count)}: the patch changes this file twice")


def _apply_hunks(before: bytes, patch: FilePatch) -> bytes:
    lines = split_lines(before)
    out: list[bytes] = []
    done = 0
    shift = 0
    for number, hunk in enumerate(patch.hunks, 1):
        at = _find(lines, hunk, done, hunk.start + shift)
        if at is None:
            raise PatchDoesNotApply(
                f"{patch.before or patch.after}: hunk {number} (line {hunk.start + 1}) is not there"
            )
        out += lines[done:at]
        out += hunk.new
        done = at + len(hunk.old)
        shift = at - hunk.start
    return b"".join(out + lines[done:])


def split_lines(data: bytes) -> list[bytes]:
    """Lines that end at `\\n` only: a lone carriage return, form feed or the like is part of its line."""
    parts = data.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def _find(lines: list[bytes], hunk: Hunk, floor: int, expected: int) -> int | None:
    """Where `hunk.old` stands at or after `floor`, nearest to `expected`; None where it does not."""
    size = len(hunk.old)
    if not size:
        return expected if floor <= expected <= len(lines) else None
    last = len(lines) - size
    expected = min(max(expected, floor), max(last, floor))
    for distance in range(max(expected - floor, last - expected, 0) + 1):
        for at in dict.fromkeys((expected - distance, expected + distance)):
            if floor <= at <= last and tuple(lines[at : at + size]) == hunk.old:
                return at
    return None


def modes(text: str, before: Mapping[str, int]) -> dict[str, int]:
    """Path -> 0o644 or 0o755 for every file that a diff leaves behind; `before`: path -> mode, where there is a file.

    Raises: PatchDoesNotApply.
    """
    found = {}
    for each in parse(text):
        if each.after is not None:
            was = before.get(each.before or each.after, 0o644)
            asked = {True: 0o755, False: 0o644, None: was if was in (0o644, 0o755) else 0o644}
            found[each.after] = asked[each.executable]
    return found
