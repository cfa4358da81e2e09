"""Second copies of a repository's code in what its sandboxes show of the host: a distribution's package, one that a
tool brings along, a wheel. An agent could read the original there, so that the spec has them covered.

    HOME/rootfs/code-ID.json    the code files of one folder of the host, and when each folder in it was changed last

Walking a large `/usr` takes seconds. Asking its folders whether a file came or went takes a tenth of one, and is done
once in each process.
"""

from __future__ import annotations

import json
import lzma
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

from swesmith_gym import languages
from swesmith_gym.home import home, write_atomic
from swesmith_gym.languages.base import Language
from swesmith_gym.records import content_id
from swesmith_gym.sandboxes import covers
from swesmith_gym.sandboxes.base import Mount

_ARCHIVE = re.compile(r"\.(?:whl|egg|zip|pyz|(?P<tar>tar|tgz|tbz2?|txz|tar\.\w+))$")
_UNREADABLE = (OSError, EOFError, ValueError, NotImplementedError, zipfile.BadZipFile, tarfile.TarError)
_DAMAGED = (*_UNREADABLE, lzma.LZMAError, zlib.error)


@dataclass
class _Listing:
    """What is known of a folder of the host."""

    folders: dict[str, int] = field(default_factory=dict)
    """Each folder, absolute, and its `ctime` in ns: the other time is set back by tools that unpack."""
    files: list[str] = field(default_factory=list)
    """Those that may be copies, relative; `ARCHIVE!MEMBER` for those in archives."""

    @property
    def current(self) -> bool:
        """Nothing has been added, removed or renamed since."""
        try:
            return bool(self.folders) and all(os.stat(path).st_ctime_ns == t for path, t in self.folders.items())
        except OSError:
            return False


def covered(tree: Path, language: str, root_fs: str, interpreter: Iterable[Mount]) -> tuple[str, ...]:
    """Paths inside that a sandbox on this root file system must not show, sorted. `tree`: the pristine one.

    `interpreter`: the mounts of the environment's own. The environment itself is not looked at. Raises: InputError.
    """
    tools = languages.get(language)
    folders = covers.shown(root_fs, interpreter)
    files = [path for mount in folders for path in _files(mount, language, home())]
    found = tools.second_copies(tree, files, partial(covers.place, folders=folders))
    real = {path for each in found for path in _real(each, folders)}
    return tuple(sorted(path for path in real if not any(_above(other, path) for other in real)))


def _above(folder: str, path: str) -> bool:
    return path.startswith(f"{folder}/")


def _real(path: str, folders: list[Mount]) -> Iterator[str]:
    """The path without links, where what they lead to is shown as well: only there can it be covered."""
    found = Path(os.path.realpath(covers.place(path, folders)))
    for mount in folders:
        source = Path(os.path.realpath(mount.source))
        if found != source and found.is_relative_to(source):
            yield f"{mount.target}/{found.relative_to(source).as_posix()}"


@lru_cache(maxsize=32)
def _files(mount: Mount, language: str, state: Path) -> tuple[str, ...]:
    """Files of a shown folder that may be copies, as they are called inside."""
    tools = languages.get(language)
    path = state / "rootfs" / f"code-{content_id(str(mount.source), language, tools.runner_version)[:16]}.json"
    listing = _read(path)
    if not listing.current:
        listing = _walk(mount.source, tools)
        write_atomic(path, json.dumps([listing.folders, listing.files]))
    return tuple(f"{mount.target}/{name}" for name in listing.files)


def _read(path: Path) -> _Listing:
    """Nothing where there is none yet, or a damaged one."""
    try:
        folders, files = json.loads(path.read_bytes())
        return _Listing(dict(folders), list(files))
    except (OSError, ValueError, TypeError):
        return _Listing()


def _walk(top: Path, language: Language) -> _Listing:
    """All of a folder. Links to folders are looked into, but not through."""
    found = _Listing()
    pending = [os.path.realpath(top)]
    start = len(pending[0].rstrip("/")) + 1
    while pending:
        folder = pending.pop()
        for entry in _entries(folder, found):
            name = os.fsencode(entry.path[start:]).decode("utf-8", "replace")
            if not entry.is_dir(follow_symlinks=False):
                found.files += _code(name, entry, found, language)
            else:
                pending.append(entry.path)
    found.files.sort()
    return found


def _entries(folder: str, found: _Listing) -> list[os.DirEntry[str]]:
    """Of a folder that can be read; nobody inside reads another one either."""
    try:
        found.folders[folder] = os.stat(folder).st_ctime_ns
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _code(name: str, entry: os.DirEntry[str], found: _Listing, language: Language) -> Iterator[str]:
    if language.may_be_copy(name):
        yield name
    elif (kind := _ARCHIVE.search(name)) and entry.is_file():
        yield from (f"{name}!{each}" for each in _members(entry.path, kind) if language.may_be_copy(each))
    elif entry.is_symlink() and entry.is_dir():
        linked = (f"{name}/{each.name}" for each in _entries(entry.path, found))
        yield from (each for each in linked if language.may_be_copy(each))


def _members(path: str, kind: re.Match[str]) -> list[str]:
    """Names in an archive; a file that only has an archive's name holds none."""
    try:
        if kind["tar"]:
            with tarfile.open(path) as archive:
                return archive.getnames()
        with zipfile.ZipFile(path) as packed:
            return packed.namelist()
    except _DAMAGED:
        return []
