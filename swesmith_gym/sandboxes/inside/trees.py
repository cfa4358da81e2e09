"""Folders as lists of entries: what snapshots hold, and how a tree comes into a sandbox that has no mount of it.

An entry is `[name, mode, mtime_ns, data]`, parents before children: data is the content of a file, the target of a
link, or None (a folder, a pipe, a file whose content is known). Shared with the driver, which writes what comes out of
a sandbox: an entry can only lie in a folder that the same list has made, so that no link is ever followed.
"""

from __future__ import annotations

import errno
import os
import stat

TYPE_CHECKING = False  # importing typing would take half of the start-up time
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

CHUNK = 1 << 20


class Baseline:
    """Which files are still as the sandbox began with them.

    A change of any kind gives a file a new change time, which no process inside can set. `inodes` is for file systems
    where a folder can be renamed with all that is in it: there a name must also belong to the same file as before.
    """

    def __init__(self, since_ns: int, inodes: dict[str, int] | None = None) -> None:
        self.since_ns = since_ns
        self.inodes = inodes

    def holds(self, name: str, found: os.stat_result) -> bool:
        if found.st_ctime_ns >= self.since_ns:
            return False
        return self.inodes is None or self.inodes.get(name) == found.st_ino


def inodes(root: str) -> dict[str, int]:
    """Name -> inode number of every file below a folder."""
    with Opened() as opened:
        found = list(_walk(os.fsencode(root), opened))
    return {name: state.st_ino for name, state in found if not stat.S_ISDIR(state.st_mode)}


def pack(root: str, limit: int, base: Baseline | None = None) -> list[list[Any]]:
    """Everything below a folder, files of `base` without their content. Sockets and devices are left out.

    Raises: OSError (more than `limit` bytes of content).
    """
    top = os.fsencode(root)
    entries: list[list[Any]] = []
    with Opened() as opened:
        for name, found in _walk(top, opened):
            data = None
            if stat.S_ISLNK(found.st_mode):
                data = os.readlink(os.path.join(top, os.fsencode(name)))
            elif stat.S_ISREG(found.st_mode):
                if not (base and base.holds(name, found)):
                    data = _content(os.path.join(top, os.fsencode(name)), found, limit, opened)
            elif not stat.S_ISDIR(found.st_mode) and not stat.S_ISFIFO(found.st_mode):
                continue
            limit -= len(data or b"")
            entries.append([name, found.st_mode, found.st_mtime_ns, data])
    return entries


class Opened:
    """Files and folders whose modes keep their owner out, opened for a while. Their modes come back at the end."""

    def __init__(self) -> None:
        self._modes: list[tuple[bytes, int]] = []

    def open(self, path: bytes, mode: int, bits: int) -> None:
        """Raises: OSError (it is not ours)."""
        os.chmod(path, stat.S_IMODE(mode) | bits)
        self._modes.append((path, stat.S_IMODE(mode)))

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        for path, mode in reversed(self._modes):
            try:
                os.chmod(path, mode)
            except OSError:
                continue  # removed meanwhile


def _walk(top: bytes, opened: Opened) -> Iterator[tuple[str, os.stat_result]]:
    pending = [b""]
    while pending:
        folder = pending.pop()
        for each in sorted(_listed(os.path.join(top, folder), opened), reverse=True):
            name = os.path.join(folder, each)
            try:
                found = os.lstat(os.path.join(top, name))
            except FileNotFoundError:
                continue  # removed meanwhile
            yield os.fsdecode(name), found
            if stat.S_ISDIR(found.st_mode):
                pending.append(name)


def _listed(folder: bytes, opened: Opened) -> list[bytes]:
    try:
        if not os.access(folder, os.R_OK | os.X_OK):
            opened.open(folder, os.lstat(folder).st_mode, 0o500)
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _content(path: bytes, found: os.stat_result, limit: int, opened: Opened) -> bytes:
    if found.st_size > limit:
        raise OSError(errno.EFBIG, "too much content to keep", os.fsdecode(path))
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        if not os.access(path, os.R_OK):
            opened.open(path, found.st_mode, 0o400)
        descriptor = os.open(path, flags)
    except OSError:
        return b""  # removed or replaced meanwhile
    try:
        content = bytearray()
        while len(content) <= limit:
            piece = os.read(descriptor, CHUNK)
            if not piece:
                return bytes(content)
            content += piece
        raise OSError(errno.EFBIG, "too much content to keep", os.fsdecode(path))
    finally:
        os.close(descriptor)


def unpack(root: str, entries: list[list[Any]]) -> None:
    """Make the folder hold exactly the entries; files without content stay as they are. Raises: OSError."""
    top = os.fsencode(root)
    wanted = {os.fsencode(entry[0]): entry for entry in entries}
    _remove_others(top, wanted)
    folders = {b""}
    for name, (_, mode, mtime_ns, data) in wanted.items():
        _check(name, folders)
        path = os.path.join(top, name)
        if stat.S_ISDIR(mode):
            folders.add(name)
            if not os.path.isdir(path):
                os.mkdir(path, 0o700)
        elif stat.S_ISFIFO(mode):
            _replace(path)
            os.mkfifo(path, stat.S_IMODE(mode) & 0o777)
        elif data is not None:
            _write(path, mode, data)
            os.utime(path, ns=(mtime_ns, mtime_ns), follow_symlinks=False)
    for name in reversed(list(wanted)):
        _, mode, mtime_ns, _ = wanted[name]
        if stat.S_ISDIR(mode):
            path = os.path.join(top, name)
            os.utime(path, ns=(mtime_ns, mtime_ns))
            os.chmod(path, stat.S_IMODE(mode) & 0o777)


def _check(name: bytes, folders: set[bytes]) -> None:
    parts = name.split(b"/")
    if b"" in parts or b"." in parts or b".." in parts or os.path.dirname(name) not in folders:
        raise OSError(errno.EINVAL, "an entry outside of the folders before it", os.fsdecode(name))


def _remove_others(top: bytes, wanted: dict[bytes, list[Any]]) -> None:
    """What is not wanted, or of another kind, goes."""
    opened = Opened()  # for good: the entries have the modes
    pending = [b""]
    while pending:
        folder = pending.pop()
        for each in _listed(os.path.join(top, folder), opened):
            name = os.path.join(folder, each)
            path = os.path.join(top, name)
            mode = os.lstat(path).st_mode
            entry = wanted.get(name)
            if entry and stat.S_IFMT(entry[1]) == stat.S_IFMT(mode):
                if stat.S_ISDIR(mode):
                    pending.append(name)
            else:
                _replace(path)


def _replace(path: bytes) -> None:
    """Make room for something else."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(mode):
        os.unlink(path)
        return
    os.chmod(path, 0o700)
    for each in os.listdir(path):
        _replace(os.path.join(path, each))
    os.rmdir(path)


def _write(path: bytes, mode: int, data: bytes) -> None:
    _replace(path)
    if stat.S_ISLNK(mode):
        os.symlink(data, path)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view[:CHUNK]) :]
        os.fchmod(descriptor, stat.S_IMODE(mode) & 0o777)
    finally:
        os.close(descriptor)
