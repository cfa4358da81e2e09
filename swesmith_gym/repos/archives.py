"""Source archives as work trees in memory. An archive is hostile: nothing of it touches the disk before it is checked.

Kept are regular files and links that stay in the tree, with modes 644 and 755. Everything else is an error, so that
a tree is either what its archive says or not there at all. Not for wheels: what they hold is no source tree.
"""

from __future__ import annotations

import io
import os
import posixpath
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from swesmith_gym.errors import ProfileError
from swesmith_gym.tasks.tree import LINK, Tree

MAX_FILES = 50_000
MAX_BYTES = 512 << 20
"""Of all files together, unpacked."""

Member = tuple[str, int, bytes]
"""Path, mode and content; for a link, its target. A hard link has mode -1 and names another member."""

_HARD = -1


class _Unpacked(io.RawIOBase):
    """A decompressed stream that ends in an error once it has given more than the cap."""

    def __init__(self, raw: io.BufferedIOBase) -> None:
        self._raw = raw
        self._left = MAX_BYTES + (64 << 20)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._raw.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
        self._left -= len(data)
        if self._left < 0:
            raise ProfileError(_too_big(), step="unpack")
        return data


def unpack(data: bytes, name: str) -> Tree:
    """The tree inside an sdist called `name` (`.tar.*`, `.tgz` or `.zip`), its one top folder taken off.

    Raises: ProfileError (not an archive, or one that holds what a source tree must not).
    """
    try:
        members = list(_zip(data) if name.endswith(".zip") else _tar(data))
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
    ) as e:
        raise ProfileError(f"{name} is not a readable archive: {e}", step="unpack") from e
    tops = {path.split("/", 1)[0] for path, _, _ in members}
    if len(tops) == 1 and all("/" in path for path, _, _ in members):
        top = tops.pop() + "/"
        members = [(p.removeprefix(top), m, d.removeprefix(top.encode()) if m == _HARD else d) for p, m, d in members]
    return guard(members)


def guard(members: list[Member]) -> Tree:
    """A tree of `members`, sorted by path, without git's folders. Raises: ProfileError."""
    tree: dict[str, tuple[int, bytes]] = {}
    for path, mode, data in members:
        if ".git" in path.split("/"):
            continue
        if mode == _HARD:
            original = tree.get(os.fsdecode(data))
            if original is None:
                raise ProfileError(f"{path!r} in the archive is a hard link to nothing in it", step="unpack")
            tree[path] = original
        else:
            tree[path] = (mode, data)
    _check_links(tree)
    return dict(sorted(tree.items()))


def _check_links(tree: Tree) -> None:
    """Links are relative, stay inside, and lead through no other link; nothing lies below a link or a file."""
    for path, (mode, data) in tree.items():
        parents = path.split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            if "/".join(parents[:depth]) in tree:
                raise ProfileError(f"{path!r} in the source lies below a file or a link", step="unpack")
        if mode != LINK:
            continue
        target = os.fsdecode(data)
        if not _stays_inside(tree, parents, target):
            raise ProfileError(f"{path!r} in the source is a link that leads out of it: {target!r}", step="unpack")


def _stays_inside(tree: Tree, at: list[str], target: str) -> bool:
    """Following `target` from the folder `at` leaves the tree nowhere and passes through no other link."""
    parts = [part for part in target.split("/") if part not in ("", ".")]
    for place, part in enumerate(parts):
        if part == ".." and not at:
            return False
        at = at[:-1] if part == ".." else [*at, part]
        if place < len(parts) - 1 and tree.get("/".join(at), (0, b""))[0] == LINK:
            return False
    return not target.startswith("/")


def _tar(data: bytes) -> Iterator[Member]:
    import bz2
    import gzip
    import lzma

    packed = io.BytesIO(data)
    raw: io.BufferedIOBase = packed
    if data.startswith(b"\x1f\x8b"):
        raw = gzip.GzipFile(fileobj=packed)
    elif data.startswith(b"BZh"):
        raw = bz2.BZ2File(packed)
    elif data.startswith(b"\xfd7zXZ"):
        raw = lzma.LZMAFile(packed)  # noqa: SIM115  (on memory: nothing to close)
    budget = _Budget()
    with tarfile.open(fileobj=_Unpacked(raw), mode="r|") as archive:
        for member in archive:
            if member.isdir():
                continue
            path = _clean(member.name)
            if member.issym():
                yield path, LINK, os.fsencode(member.linkname)
            elif member.islnk():
                yield path, _HARD, os.fsencode(_clean(member.linkname))
            elif member.isreg() and not member.issparse():
                budget.take(member.size)
                content = archive.extractfile(member)
                assert content is not None
                yield path, _mode(member.mode), _read(content, member.size)
            else:
                raise ProfileError(f"{path!r} in the archive is a device or another special file", step="unpack")


def _zip(data: bytes) -> Iterator[Member]:
    budget = _Budget()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            budget.take(member.file_size)
            mode = member.external_attr >> 16
            with archive.open(member) as content:
                read = _read(content, member.file_size)
            yield _clean(member.filename), LINK if stat.S_ISLNK(mode) else _mode(mode), read


def _read(content: IO[bytes], size: int) -> bytes:
    pieces = []
    while size > 0 and (piece := content.read(min(size, 1 << 20))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


class _Budget:
    """Counts what is taken out of an archive."""

    def __init__(self) -> None:
        self.files = 0
        self.bytes = 0

    def take(self, size: int) -> None:
        self.files += 1
        self.bytes += size
        if self.files > MAX_FILES or self.bytes > MAX_BYTES:
            raise ProfileError(_too_big(), step="unpack")


def _too_big() -> str:
    return f"the archive holds more than {MAX_FILES} files or {MAX_BYTES >> 20} MiB"


def _clean(path: str) -> str:
    """The path without `.` parts. Raises: ProfileError for one that is absolute or leads upwards."""
    clean = posixpath.normpath(path)
    if path.startswith("/") or ".." in path.split("/") or clean == "." or "\0" in path:
        raise ProfileError(f"the archive holds a path that leads out of it: {path!r}", step="unpack")
    return clean


def _mode(mode: int) -> int:
    return 0o755 if mode & 0o100 else 0o644
