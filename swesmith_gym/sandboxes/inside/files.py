"""Reading, writing and listing files, from inside the sandbox: no link leads out of it.

Paths are bytes all the way down: names need not be UTF-8.
"""

from __future__ import annotations

import errno
import os
import stat

TYPE_CHECKING = False  # importing typing would take half of the start-up time
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Send = Callable[[Any], None]

CHUNK = 1 << 20
MAX_HASHED = 8 << 30
"""Bytes that one manifest reads at most: sparse files would keep it busy for hours."""
LINK_MODE = 0o120000


def full_path(path: str, base: str) -> bytes:
    """Absolute path; relative ones are below `base`. Raises: OSError (`..`, empty, NUL)."""
    if not path or "\0" in path or ".." in path.split("/"):
        raise OSError(errno.EINVAL, "path is empty, holds NUL or leads upwards", path)
    return os.fsencode(os.path.join(base, path))


def read_file(path: bytes, limit: int, send: Send) -> None:
    """Send the size of a regular file, then its content in pieces, then an empty piece."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, "is a folder", os.fsdecode(path))
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", os.fsdecode(path))
        if found.st_size > limit:
            raise OSError(errno.EFBIG, f"larger than {limit} bytes", os.fsdecode(path))
        send({"size": found.st_size})
        _send_content(descriptor, found.st_size, send)
    finally:
        os.close(descriptor)


def _send_content(descriptor: int, size: int, send: Send) -> None:
    """Once the size is out, an error can only cut the content short: the driver compares the lengths."""
    try:
        while size > 0:
            piece = os.read(descriptor, min(CHUNK, size))
            if not piece:
                break
            size -= len(piece)
            send(piece)
    except OSError:
        pass
    send(b"")


def apply(changes: list[dict[str, Any]], base: str) -> None:
    """Deletions first, so that a file may give way to a folder and the other way round; then the writes."""
    for change in changes:
        if change["data"] is None:
            _delete(full_path(change["path"], base))
    for change in changes:
        if change["data"] is not None:
            _write(full_path(change["path"], base), change["data"], change["mode"])


def _delete(path: bytes) -> None:
    try:
        _with_access(path, os.unlink)
    except (FileNotFoundError, NotADirectoryError):
        return
    parent = os.path.dirname(path)
    try:
        os.rmdir(parent)  # a folder that holds nothing any more would keep a file from taking its place
    except OSError:
        return


def _write(path: bytes, data: bytes, mode: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        _with_access(path, os.unlink)
    if mode == LINK_MODE:
        os.symlink(data, path)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = _with_access(path, lambda name: os.open(name, flags, 0o600))
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view[:CHUNK]) :]
        os.fchmod(descriptor, mode & 0o777)
    finally:
        os.close(descriptor)


def _with_access(path: bytes, act: Callable[[bytes], Any]) -> Any:
    """Do it; where the folder's modes forbid it and the folder is ours, change them and do it again."""
    try:
        return act(path)
    except PermissionError:
        os.chmod(os.path.dirname(path), 0o755)
        return act(path)


class Manifest:
    """The regular files and links below a folder, with hashes. `.git` folders are left out."""

    def __init__(self, root: bytes, max_files: int) -> None:
        self.root = root
        self.max_files = max_files
        self.entries: list[Any] = []
        self.hashed = 0

    def walk(self) -> list[Any]:
        """`[relative path, mode, size, sha256]` each, in the order of the walk. Raises: OSError."""
        pending = [self.root]
        while pending:
            folder = pending.pop()
            for entry in _entries(folder):
                if entry.is_symlink():
                    self._add(entry.path, LINK_MODE, os.readlink(entry.path))
                elif entry.is_dir(follow_symlinks=False):
                    if entry.name != b".git":
                        pending.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    self._add_file(entry.path)
                else:
                    raise OSError(errno.EINVAL, "neither a file nor a folder nor a link", self._name(entry.path))
        return self.entries

    def _name(self, path: bytes) -> str:
        return os.fsdecode(os.path.relpath(path, self.root))

    def _add(self, path: bytes, mode: int, content: bytes) -> None:
        import hashlib

        self._put(path, mode, len(content), hashlib.sha256(content).hexdigest())

    def _add_file(self, path: bytes) -> None:
        import hashlib

        digest = hashlib.sha256()
        descriptor = _open_readable(path)
        try:
            found = os.fstat(descriptor)
            self.hashed += found.st_size
            if self.hashed > MAX_HASHED:
                raise OSError(errno.EFBIG, "the tree is too large to list", self._name(path))
            piece = os.read(descriptor, CHUNK)
            while piece:
                digest.update(piece)
                piece = os.read(descriptor, CHUNK)
        finally:
            os.close(descriptor)
        mode = 0o755 if found.st_mode & 0o100 else 0o644
        self._put(path, mode, found.st_size, digest.hexdigest())

    def _put(self, path: bytes, mode: int, size: int, digest: str) -> None:
        if len(self.entries) >= self.max_files:
            raise OSError(errno.EMFILE, f"more than {self.max_files} files", self._name(path))
        self.entries.append([self._name(path), mode, size, digest])


def _entries(folder: bytes) -> list[os.DirEntry[bytes]]:
    try:
        return _listed(folder)
    except PermissionError:
        os.chmod(folder, 0o755)
        return _listed(folder)


def _listed(folder: bytes) -> list[os.DirEntry[bytes]]:
    with os.scandir(folder) as found:
        entries = list(found)
    if entries and not os.access(folder, os.X_OK):
        raise PermissionError(errno.EACCES, "folder cannot be entered", os.fsdecode(folder))
    return entries


def _open_readable(path: bytes) -> int:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except PermissionError:
        os.chmod(path, os.lstat(path).st_mode | 0o400)
        return os.open(path, flags)
