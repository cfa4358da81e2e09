"""Where a repository's code comes from: an sdist on a package index, a commit of a git repository, or a local folder.

A source is read as data into memory, checked, and identified by a hash. Nothing of it is executed on the host.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from swesmith_gym.errors import InputError, ProfileError
from swesmith_gym.home import home, write_atomic
from swesmith_gym.repos import archives, git, index
from swesmith_gym.tasks import tree as trees
from swesmith_gym.tasks.tree import Tree

_SKIPPED = frozenset(
    {".git", ".hg", ".svn", "__pycache__", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
    | {".hypothesis", ".eggs", "node_modules", ".idea", ".vscode"}
)
_PYPI = re.compile(r"pypi:\s*([A-Za-z0-9][\w.\-]*)\s*==\s*([\w.!+\-]+)")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A source as it was found."""

    source: str
    """Canonical: `pypi:NAME==VERSION`, `git+URL@COMMIT` or `local:FOLDER`."""
    source_hash: str
    """SHA-256 of the archive, the commit, or the content id of the folder's files."""
    name: str
    """A short name for it."""
    version: str
    """Release, or version in the nearest tag; empty where there is none."""
    tree: Tree = field(repr=False)


def fetch(source: str, *, expected: str = "", index_url: str | None = None, ca_bundle: Path | None = None) -> Fetched:
    """Get a source's files. `expected`: the hash that a profile pins; other content is an error.

    Raises: InputError (not a source), ProfileError (not to be had, or not what was pinned).
    """
    ca = index.ca_file(ca_bundle)
    if source.startswith("pypi:"):
        found = _pypi(source, expected, index.index_url(index_url), ca)
    elif git.is_address(source):
        found = _git(source, ca)
    else:
        found = _local(source)
    if expected and found.source_hash != expected:
        raise ProfileError(
            f"{source} has changed: its hash is {found.source_hash[:16]}..., the profile pins {expected[:16]}...; "
            f"add it again with `swesmith-gym repos add {source}`",
            step="fetch",
        )
    if not found.tree:
        raise ProfileError(f"{source} holds no files", step="fetch")
    return found


def _pypi(source: str, expected: str, url: str, ca: Path | None) -> Fetched:
    match = _PYPI.fullmatch(source)
    if match is None:
        raise InputError(f"not a package and version: {source!r}; write pypi:NAME==VERSION, e.g. pypi:sqlparse==0.6.1")
    name, version = match.groups()
    data, filename = _cached(expected)
    if data is None:
        sdist = index.find_sdist(name, version, index=url, ca=ca)
        data, filename = index.download(sdist, ca=ca, expected=expected), sdist.filename
    digest = hashlib.sha256(data).hexdigest()
    if not expected or not (_cache() / f"{digest}{_kind(filename)}").exists():
        write_atomic(_cache() / f"{digest}{_kind(filename)}", data)
    tree = archives.unpack(data, filename)
    return Fetched(f"pypi:{name}=={version}", digest, name.lower(), version, tree)


def _cache() -> Path:
    return home() / "sources"


def _kind(filename: str) -> str:
    return ".zip" if filename.endswith(".zip") else ".tar"


def _cached(digest: str) -> tuple[bytes | None, str]:
    """A download of before, by its hash; a damaged one does not count."""
    for kind in (".tar", ".zip"):
        path = _cache() / f"{digest}{kind}"
        if digest and path.is_file():
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == digest:
                return data, path.name
    return None, ""


def _git(source: str, ca: Path | None) -> Fetched:
    url, ref = git.split(source)
    with tempfile.TemporaryDirectory(prefix="swesmith-gym-git-") as folder:
        commit, version = git.checkout(url, ref, Path(folder), ca=ca)
        tree = _read(Path(folder))
    name = url.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1].removesuffix(".git").lower()
    return Fetched(f"git+{index.bare(url)}@{commit}", commit, name, version, tree)


def _local(source: str) -> Fetched:
    folder = Path(source.removeprefix("local:")).expanduser().absolute()
    if not folder.is_dir():
        raise InputError(
            f"no such source: {source!r}; write pypi:NAME==VERSION, a git URL with @REF, or the path of a folder"
        )
    tree = _read(folder)
    return Fetched(f"local:{folder}", trees.digest(tree), folder.name.lower(), "", tree)


def _read(folder: Path) -> Tree:
    """A folder's files without caches and virtual environments, guarded like an archive."""
    members: list[archives.Member] = []
    total = 0
    for path in _files(folder):
        if path.is_symlink():
            data, mode = str(path.readlink()).encode(errors="surrogateescape"), trees.LINK
        else:
            total += path.stat().st_size
            if len(members) >= archives.MAX_FILES or total > archives.MAX_BYTES:
                raise ProfileError(
                    f"{folder} holds more than {archives.MAX_FILES} files or {archives.MAX_BYTES >> 20} MiB",
                    step="fetch",
                )
            data, mode = path.read_bytes(), 0o755 if path.stat().st_mode & 0o100 else 0o644
        members.append((path.relative_to(folder).as_posix(), mode, data))
    return archives.guard(members)


def _files(folder: Path) -> list[Path]:
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name in _SKIPPED or path.suffix in (".pyc", ".pyo"):
            continue
        if path.is_symlink() or path.is_file():
            found.append(path)
        elif path.is_dir() and not (path / "pyvenv.cfg").exists():
            found += _files(path)
    return found
