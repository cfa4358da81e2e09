"""Work trees as values: read from disk, identified, written anew. Files and links only, git's folder aside."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from swesmith_gym.records import FileEntry, content_id

Tree = Mapping[str, tuple[int, bytes]]
"""Relative path -> (mode, content). Mode 0o644, 0o755, or 0o120000: a link, whose content is its target."""

LINK = 0o120000
MTIME_S = 1_577_836_800
"""Every file of a sealed tree has this time stamp (2020-01-01 UTC): none tells which one was edited."""


def read(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file and link below `folder`, sorted by path. Links are never followed. Raises: OSError."""
    return dict(sorted(_walk(folder, "")))


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, tuple[int, bytes]]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = prefix + entry.name
            if entry.is_symlink():
                yield path, (LINK, os.fsencode(os.readlink(entry.path)))
            elif entry.is_dir(follow_symlinks=False):
                if entry.name != ".git":
                    yield from _walk(Path(entry.path), path + "/")
            elif entry.is_file(follow_symlinks=False):
                executable = entry.stat(follow_symlinks=False).st_mode & 0o100
                yield path, (0o755 if executable else 0o644, Path(entry.path).read_bytes())


def write(tree: Tree, folder: Path) -> None:
    """Write every file of `tree` below the new folder `folder`, with one time stamp for all. Raises: OSError."""
    folder.mkdir(parents=True)
    folders = {folder}
    for path, (mode, data) in tree.items():
        target = folder / path
        if target.parent not in folders:
            target.parent.mkdir(parents=True, exist_ok=True)
            folders.update(p for p in target.parents if p.is_relative_to(folder))
        if mode == LINK:
            os.symlink(data, os.fsencode(target))
        else:
            target.write_bytes(data)
            target.chmod(mode)
        os.utime(target, (MTIME_S, MTIME_S), follow_symlinks=False)
    for each in sorted(folders, key=lambda p: len(p.parts), reverse=True):
        each.chmod(0o755)
        os.utime(each, (MTIME_S, MTIME_S))


def manifest(tree: Tree) -> dict[str, FileEntry]:
    """What `Sandbox.manifest` gives for the same tree."""
    return {
        path: FileEntry(mode, len(data), hashlib.sha256(data).hexdigest())
        for path, (mode, data) in sorted(tree.items())
    }


def digest(tree: Tree) -> str:
    """Content id over paths, modes and contents."""
    return content_id([(p, e.mode, e.sha256) for p, e in manifest(tree).items()])


def contents(tree: Tree) -> dict[str, bytes]:
    """Relative path -> content of the regular files."""
    return {path: data for path, (mode, data) in tree.items() if mode != LINK}


def replaced(tree: Tree, files: Mapping[str, bytes | None]) -> dict[str, tuple[int, bytes]]:
    """`tree` with `files` written over it (None deletes); a file keeps its mode, a new one gets 0o644."""
    out = dict(tree)
    for path, data in files.items():
        if data is None:
            out.pop(path, None)
        else:
            mode = out[path][0] if path in out and out[path][0] != LINK else 0o644
            out[path] = (mode, data)
    return dict(sorted(out.items()))
