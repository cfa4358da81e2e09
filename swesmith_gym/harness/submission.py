"""From an agent's work to a `Submission`: typed file changes on the sealed tree, whatever way the work came.

Two ways in: the tree of a live sandbox (`from_sandbox`), or a `model_patch` (`from_patch`). Both end in the
same record, so that a reward and an evaluation of the same work cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping

from swesmith_gym import diff, patch
from swesmith_gym.records import FileChange, FileEntry, Submission
from swesmith_gym.sandboxes.base import Sandbox
from swesmith_gym.tasks import tree as trees
from swesmith_gym.tasks.sealing import reader
from swesmith_gym.tasks.tree import Tree

MAX_CHANGED_FILES = 2_000
MAX_FILE_BYTES = 16 << 20
MAX_TOTAL_BYTES = 64 << 20
_JUNK = frozenset(
    {".git", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".venv", "venv"}
)
"""Folders that tools leave in a work tree: no part of anybody's work."""


class _Refused(Exception):
    """The work breaks a rule; the text says which."""


def from_sandbox(sandbox: Sandbox, base: Tree) -> Submission:
    """What an agent changed in the tree `base` that its episode began with. Every other process in `sandbox` is killed.

    A cap that is passed, a link that leads out of the tree, or a special file makes it a violation.
    Raises: SandboxDied.
    """
    try:
        now = sandbox.manifest()
    except OSError as error:
        if isinstance(error, ConnectionError):
            raise
        return Submission(violation=f"the work tree cannot be listed: {error}")
    try:
        changes = _changes(sandbox, trees.manifest(base), now)
    except _Refused as refused:
        return Submission(violation=str(refused))
    return Submission(changes=changes, model_patch=as_patch(changes, base))


def _changes(sandbox: Sandbox, base: Mapping[str, FileEntry], now: Mapping[str, FileEntry]) -> tuple[FileChange, ...]:
    changed = sorted(p for p in base.keys() | now.keys() if base.get(p) != now.get(p) and not _is_junk(p))
    if len(changed) > MAX_CHANGED_FILES:
        raise _Refused(f"{len(changed)} files were changed: the limit is {MAX_CHANGED_FILES}")
    if sum(now[p].size for p in changed if p in now) > MAX_TOTAL_BYTES:
        raise _Refused(f"the changed files hold more than {MAX_TOTAL_BYTES} bytes")
    return tuple(_change(sandbox, path, now.get(path)) for path in changed)


def _change(sandbox: Sandbox, path: str, entry: FileEntry | None) -> FileChange:
    if entry is None:
        return FileChange(path, None)
    if entry.mode == trees.LINK:
        raise _Refused(f"{path!r} is a link: only regular files can be submitted")
    if entry.size > MAX_FILE_BYTES:
        raise _Refused(f"{path!r} has {entry.size} bytes: the limit for a file is {MAX_FILE_BYTES}")
    data = sandbox.read_file(path, limit=MAX_FILE_BYTES)
    return FileChange(path, data, 0o755 if entry.mode & 0o100 else 0o644)


def _is_junk(path: str) -> bool:
    return not _JUNK.isdisjoint(path.split("/"))


def as_patch(changes: tuple[FileChange, ...], base: Tree) -> str:
    """The changes as a unified diff. Files that are not UTF-8 text keep their bytes by surrogate escapes."""
    read = reader(base)
    texts = ((c.path, _text(read(c.path)), _text(c.data)) for c in changes)
    return "".join(diff.unified(path, before, after) for path, before, after in texts if before != after)


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "surrogateescape")


def from_patch(model_patch: str, base: Tree) -> Submission:
    """The submission that a unified diff of the tree `base` stands for. Raises: PatchDoesNotApply."""
    files = patch.apply(model_patch, reader(base)) if model_patch.strip() else {}
    modes = patch.modes(model_patch) if files else {}
    changes = tuple(
        FileChange(path, data, modes.get(path) or (base[path][0] if path in base else 0o644))
        for path, data in sorted(files.items())
        if data is None or not _is_junk(path)
    )
    return Submission(changes=changes, model_patch=model_patch)
