"""Changes from a range of commits of a git repository: one for each commit, with its message.

Only objects are read (`git log`, `diff-tree`, `cat-file`), in a bare repository of our own that the commits are fetched
into: no work tree, no hook, no filter, no attribute of the repository has a say.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from swesmith_gym.errors import InputError
from swesmith_gym.repos import git
from swesmith_gym.repos.changes import base
from swesmith_gym.repos.changes.base import SourceChange

MAX_COMMITS = 2_000
_RANGE = re.compile(r"([^\s.-](?:(?!\.\.)\S)*)\.\.([^\s.-]\S*)")
_REGULAR = ("100644", "100755", "000000")
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One file of one commit."""

    old: str | None
    new: str | None
    old_blob: str
    new_blob: str
    regular: bool


@dataclass(frozen=True, slots=True)
class _Repository:
    folder: Path
    url: str
    ca: Path | None

    def git(self, *args: str, stdin: bytes = b"") -> bytes:
        done = git.run(self.folder, args, ca=self.ca, url=self.url, stdin=stdin)
        if done.returncode:
            raise git.failure(done, self.url)
        return done.stdout


def from_range(
    where: str, span: str, *, keep: Callable[[str], bool] = lambda _: True, ca: Path | None = None
) -> list[SourceChange]:
    """The commits of `A..B`, oldest first; a merge is what it changed of its first parent.

    `where`: an address, or a folder that is a clone. `keep`: paths whose texts are wanted; the others are only named.
    Raises: InputError (not a range, nothing or too much in it), ProfileError (not to be had; no such commit).
    """
    match = _RANGE.fullmatch(span)
    if match is None:
        raise InputError(f"not a range of commits: {span!r}; write A..B, e.g. v1.0..v1.1")
    url = _address(where)
    with tempfile.TemporaryDirectory(prefix="swesmith-gym-git-") as folder:
        repository = _Repository(Path(folder), url, ca)
        git.fetch(repository.folder, url, ca=ca, bare_repository=True)
        first, last = (git.commit(repository.folder, url, ref, ca=ca) for ref in match.groups())
        return _changes(repository, f"{first}..{last}", span, keep)


def _address(where: str) -> str:
    if git.is_address(where):
        return where.removeprefix("git+")
    folder = Path(where).expanduser().absolute()
    if not folder.is_dir():
        raise InputError(f"no such git repository: {where!r}; give an address, or the folder of a clone")
    return folder.as_uri()


def _changes(repository: _Repository, ids: str, span: str, keep: Callable[[str], bool]) -> list[SourceChange]:
    log = repository.git("log", "--reverse", "--topo-order", "-z", "--format=%H %P%n%B", ids)
    commits = [part.decode("utf-8", "replace").partition("\n") for part in log.split(b"\0") if part]
    if not commits:
        raise InputError(f"there is no commit in {span}: is it the right way round?")
    if len(commits) > MAX_COMMITS:
        raise InputError(f"there are {len(commits)} commits in {span}: the limit is {MAX_COMMITS}")
    entries = []
    for head, _, _ in commits:
        commit, *parents = head.split()
        entries.append(list(_entries(repository, commit, parents[0] if parents else _EMPTY_TREE)))
    wanted = {blob for each in entries for e in each if _kept(e, keep) for blob in (e.old_blob, e.new_blob)}
    blobs = _blobs(repository, wanted)
    return [
        _change(head.split()[0], message, found, blobs, keep)
        for (head, _, message), found in zip(commits, entries, strict=True)
    ]


def _kept(entry: _Entry, keep: Callable[[str], bool]) -> bool:
    return entry.regular and any(keep(path) for path in (entry.old, entry.new) if path is not None)


def _entries(repository: _Repository, commit: str, parent: str) -> Iterator[_Entry]:
    listed = repository.git(
        "diff-tree", "-r", "-z", "-M", "--raw", "--no-abbrev", "--no-ext-diff", "--no-textconv", parent, commit
    )
    parts = iter(listed.decode("utf-8", "surrogateescape").split("\0"))
    for head in parts:
        if not head:
            break
        old_mode, new_mode, old_blob, new_blob, kind = head.removeprefix(":").split()
        path = next(parts)
        new = next(parts) if kind[0] in "RC" else path
        yield _Entry(
            old=None if kind[0] in "AC" else path,
            new=None if kind[0] == "D" else new,
            old_blob=old_blob if kind[0] != "C" else "0" * 40,
            new_blob=new_blob,
            regular=old_mode in _REGULAR and new_mode in _REGULAR,
        )


def _blobs(repository: _Repository, ids: set[str]) -> dict[str, bytes]:
    """Contents of all blobs that are not too large."""
    asked = "".join(f"{each}\n" for each in sorted(ids) if set(each) != {"0"})
    sizes = repository.git("cat-file", "--batch-check", stdin=asked.encode()).decode().splitlines()
    small = [line.split()[0] for line in sizes if int(line.split()[2]) <= base.MAX_FILE_BYTES]
    data = repository.git("cat-file", "--batch", stdin="".join(f"{each}\n" for each in small).encode())
    found: dict[str, bytes] = {}
    at = 0
    for each in small:
        end = data.index(b"\n", at)
        size = int(data[at:end].split()[2])
        found[each] = data[end + 1 : end + 1 + size]
        at = end + 2 + size
    return found


def _change(
    commit: str, message: str, entries: list[_Entry], blobs: dict[str, bytes], keep: Callable[[str], bool]
) -> SourceChange:
    files, others = [], []
    for each in entries:
        before, after = blobs.get(each.old_blob), blobs.get(each.new_blob)
        known = (each.old is None or before is not None) and (each.new is None or after is not None)
        file = base.of_texts(each.old, each.new, before, after) if known and _kept(each, keep) else None
        if file is None:
            others.append(each.new or each.old or "?")
        elif file.patch.hunks or each.old != each.new:
            files.append(file)
    return SourceChange(commit[:12], tuple(files), message.strip(), f"commit {commit}", tuple(others))
