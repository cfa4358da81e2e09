"""From an agent's work to a `Submission`: typed file changes on the sealed tree, whatever way the work came.

Two ways in: the tree of a live sandbox (`from_sandbox`), or a `model_patch` (`from_patch`). Both end in the
same record, so that a reward and an evaluation of the same work cannot differ.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from swesmith_gym import diff, patch
from swesmith_gym.errors import SandboxDied
from swesmith_gym.records import FileChange, FileEntry, Submission
from swesmith_gym.sandboxes.base import Sandbox
from swesmith_gym.tasks import tree as trees
from swesmith_gym.tasks.sealing import reader
from swesmith_gym.tasks.tree import Tree

MAX_CHANGED_FILES = 2_000
MAX_FILE_BYTES = 16 << 20
MAX_TOTAL_BYTES = 64 << 20
_JUNK = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".venv", "venv"})
"""Folders that tools leave in a work tree: where they are new, they are no part of anybody's work."""


class _Refused(Exception):
    """The work breaks a rule; the text says which."""


def from_sandbox(sandbox: Sandbox, base: Tree) -> Submission:
    """What an agent changed in the tree `base` that its episode began with. Every other process in `sandbox` is killed.

    What tools leave behind, and binary files where the tree has none of their kind, are no part of it. A cap that is
    passed, a link that leads out of the tree, or a special file makes it a violation.
    Raises: SandboxDied.
    """
    try:
        now = sandbox.manifest()
        found = [_change(sandbox, path, now.get(path)) for path in _changed(trees.manifest(base), now)]
    except SandboxDied:
        raise
    except OSError as error:
        return Submission(violation=f"the work tree cannot be read: {error}")
    except _Refused as refused:
        return Submission(violation=str(refused))
    changes = tuple(each for each in found if not _is_alien(each, base))
    return Submission(changes=changes, model_patch=as_patch(changes, base))


def _changed(base: Mapping[str, FileEntry], now: Mapping[str, FileEntry]) -> list[str]:
    virtual = tuple(path.removesuffix("pyvenv.cfg") for path in now if path.endswith("/pyvenv.cfg"))
    changed = [
        path
        for path in sorted(base.keys() | now.keys())
        if base.get(path) != now.get(path)
        and (path in base or not (_is_junk(path) or path.startswith(virtual)))
        and not _is_gits(path)
    ]
    if len(changed) > MAX_CHANGED_FILES:
        raise _Refused(f"{len(changed)} files were changed: the limit is {MAX_CHANGED_FILES}")
    if sum(now[path].size for path in changed if path in now) > MAX_TOTAL_BYTES:
        raise _Refused(f"the changed files hold more than {MAX_TOTAL_BYTES} bytes")
    return changed


def _change(sandbox: Sandbox, path: str, entry: FileEntry | None) -> FileChange:
    if entry is None:
        return FileChange(path, None)
    if entry.mode == trees.LINK:
        target = sandbox.read_link(path)
        if _leads_out(path, target):
            raise _Refused(f"{path!r} is a link that leads out of the tree (to {target!r})")
        return FileChange(path, target.encode("utf-8", "surrogateescape"), trees.LINK)
    if entry.size > MAX_FILE_BYTES:
        raise _Refused(f"{path!r} has {entry.size} bytes: the limit for a file is {MAX_FILE_BYTES}")
    data = sandbox.read_file(path, limit=MAX_FILE_BYTES)
    return FileChange(path, data, 0o755 if entry.mode & 0o100 else 0o644)


def _leads_out(path: str, target: str) -> bool:
    """By its text alone. Up again after a name: the name may be a link, which makes the way shorter than it looks."""
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    parts = [part for part in target.split("/") if part not in ("", ".")]
    climbs_again = ".." in parts[next((at for at, part in enumerate(parts) if part != ".."), len(parts)) :]
    return posixpath.isabs(target) or place == ".." or place.startswith("../") or climbs_again


def _is_alien(change: FileChange, base: Tree) -> bool:
    """A new binary file of a kind that the tree has none of (a database of a tool, a core, a compiled module)."""
    if change.path in base or change.mode == trees.LINK or not _is_binary(change.data):
        return False
    kind = posixpath.splitext(change.path)[1]
    return not any(posixpath.splitext(path)[1] == kind and _is_binary(data) for path, (_, data) in base.items())


def _is_binary(data: bytes | None) -> bool:
    """As git tells."""
    return data is not None and b"\0" in data[:8000]


def _is_gits(path: str) -> bool:
    """A repository's own file (`gitdir: ...`) or folder, in any case: no patch can hold it."""
    return ".git" in path.lower().split("/")


def _is_junk(path: str) -> bool:
    return not _JUNK.isdisjoint(path.split("/"))


def as_patch(changes: tuple[FileChange, ...], base: Tree) -> str:
    """The changes as a unified diff, modes included, links left out."""
    return diff.of_changes(
        diff.Change(each.path, *_pair(each, base), new_mode=each.mode) for each in changes if each.mode != trees.LINK
    )


def _pair(change: FileChange, base: Tree) -> tuple[bytes | None, bytes | None, int]:
    mode, before = base.get(change.path, (change.mode, None))
    return (None, change.data, change.mode) if mode == trees.LINK else (before, change.data, mode)


def from_patch(model_patch: str, base: Tree) -> Submission:
    """The submission that a unified diff of the tree `base` stands for. Raises: PatchDoesNotApply."""
    files = patch.apply(model_patch, reader(base)) if model_patch.strip() else {}
    modes = patch.modes(model_patch, {path: mode for path, (mode, _) in base.items()}) if files else {}
    changes = tuple(
        FileChange(path, data, modes.get(path, 0o644))
        for path, data in sorted(files.items())
        if path in base or not _is_junk(path)
    )
    return Submission(changes=changes, model_patch=model_patch)
