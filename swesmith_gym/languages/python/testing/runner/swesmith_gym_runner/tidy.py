"""The places that tests write to, put back as they were."""

from __future__ import annotations

import os
import shutil
import stat
import time
from typing import Iterable, Iterator, NamedTuple, Optional, Tuple  # noqa: UP035  (3.8 cannot subscript those of collections.abc)

Mark = Tuple[int, int, int, int]  # noqa: UP006
RACY_NS = 100_000_000
"""A folder that was changed so short a time ago may change again without its time telling."""


class Places:
    """The work tree and the folders for scratch files, as they were when this was made.

    Whatever appears in one of them later is taken away: only for folders that nobody else writes to.
    """

    def __init__(self, root: str, scratch: Iterable[str]) -> None:
        self.spared: list[str] = []
        """Paths, or beginnings of them, that are not taken away."""
        self._root = root
        self._folders = sorted({root, *map(os.path.expanduser, scratch)})
        self._known = dict(self._entries())
        self._originals: dict[str, tuple[bytes, os.stat_result] | None] = {}
        self._listed: dict[str, _Listed] = {}

    def made(self) -> list[str]:
        """What is there and was not, but for what is spared."""
        return [path for path, _ in self._entries() if path not in self._known and not self._is_spared(path)]

    def settle(self) -> None:
        """What is there now is left alone by `tidy`."""
        pending = [*self._folders, *self._listed]
        seen: set[str] = set()
        while pending:
            folder = pending.pop()
            if folder in seen:
                continue
            seen.add(folder)
            listed = self._listed.get(folder)
            if listed is None or listed.changed(folder):
                self._listed.pop(folder, None)
                found = _listing(folder)
                if found is not None:
                    self._listed[folder] = found
                    pending += [os.path.join(folder, name) for name in found.folders]

    def tidy(self) -> None:
        """Take away what has appeared since `settle`, before another run sees it. Folders tell by their times."""
        for folder, listed in list(self._listed.items()):
            if not listed.changed(folder):
                continue
            now = _listing(folder)
            for name in sorted(now.names - listed.names if now else ()):
                path = os.path.join(folder, name)
                if not self._is_spared(path):
                    _remove(path)
            after = _listing(folder)
            if after is not None:
                self._listed[folder] = _Listed(after.mtime_ns, listed.names, listed.folders, after.racy)

    def _is_spared(self, path: str) -> bool:
        return path.startswith(tuple(self.spared))

    def _entries(self) -> Iterator[tuple[str, Mark]]:
        pending = list(self._folders)
        while pending:
            folder = pending.pop()
            try:
                entries = list(os.scandir(folder))
            except OSError:
                continue
            for entry in entries:
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    yield entry.path, (found.st_mode, 0, 0, 0)
                    pending.append(entry.path)
                else:
                    yield entry.path, (found.st_mode, found.st_size, found.st_mtime_ns, found.st_ino)

    def lay(self, files: dict[str, Optional[str]]) -> None:  # noqa: UP045
        """Write files of the tree, relative paths; None deletes. What was there is kept for `put_back`."""
        for name, text in files.items():
            path = os.path.join(self._root, name)
            self._originals.setdefault(path, _content(path))
            if os.path.lexists(path):
                os.unlink(path)
            if text is not None:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as file:
                    file.write(text.encode("utf-8", "surrogateescape"))
                kept = self._originals[path]
                os.chmod(path, stat.S_IMODE(kept[1].st_mode) if kept else 0o644)

    def put_back(self) -> bool:
        """Files that were laid are as before, and what is new is gone. False: something else has been changed."""
        for path, kept in self._originals.items():
            self._restore(path, kept)
        self._originals.clear()
        now = dict(self._entries())
        for path in sorted(now.keys() - self._known.keys()):
            if not self._is_spared(path):
                _remove(path)
        return all(now.get(path) == mark for path, mark in self._known.items())

    def _restore(self, path: str, kept: tuple[bytes, os.stat_result] | None) -> None:
        if os.path.lexists(path):
            os.unlink(path)
        if kept is None:
            return
        data, was = kept
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, stat.S_IMODE(was.st_mode))
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
        found = os.stat(path)
        self._known[path] = (found.st_mode, found.st_size, found.st_mtime_ns, found.st_ino)


class _Listed(NamedTuple):
    """A folder as it was read."""

    mtime_ns: int
    names: frozenset[str]
    folders: tuple[str, ...]
    """Those of the names that are folders."""
    racy: bool

    def changed(self, folder: str) -> bool:
        """Something may have appeared in it, or gone."""
        try:
            return self.racy or os.stat(folder).st_mtime_ns != self.mtime_ns
        except OSError:
            return True


def _listing(folder: str) -> _Listed | None:
    """None: it cannot be read, or is not there."""
    try:
        mtime_ns = os.stat(folder).st_mtime_ns
        entries = list(os.scandir(folder))
    except OSError:
        return None
    folders = tuple(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    return _Listed(mtime_ns, frozenset(entry.name for entry in entries), folders, time.time_ns() - mtime_ns < RACY_NS)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.lexists(path):
        os.unlink(path)


def _content(path: str) -> tuple[bytes, os.stat_result] | None:
    if not os.path.isfile(path) or os.path.islink(path):
        return None
    with open(path, "rb") as file:
        return file.read(), os.stat(path)
