"""Sealing: the tree that an agent gets, which holds the bug and nothing that tells where it is or how to undo it.

One orphan commit of the buggy code, the FAIL_TO_PASS tests taken out, every file written anew with one time stamp.
The tree is made once for each task and kept in the state folder; episodes mount it copy-on-write.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from swesmith_gym import patch
from swesmith_gym.errors import SandboxError
from swesmith_gym.home import home
from swesmith_gym.languages.base import Language
from swesmith_gym.sandboxes.base import WORKDIR, Limits, SandboxBackend, SandboxSpec
from swesmith_gym.sandboxes.inside import trees as entries
from swesmith_gym.tasks import tree as trees
from swesmith_gym.tasks.tree import Tree

HideTests = Literal["functions", "files", "none"]
"""What is taken out of the agent's tree: the functions that define FAIL_TO_PASS tests, their files, or nothing."""

_COMMIT = """set -e
git init -q -b main .
git config core.fileMode true
git add -A -f .
git -c user.name=developer -c user.email=developer@localhost commit -q --no-verify -m 'Initial commit'
rm -rf .git/hooks .git/logs .git/description .git/info .git/branches .git/COMMIT_EDITMSG
"""
KEPT = 1_000
"""Sealed trees that are kept however long nobody has used them."""
IDLE_S = 86_400.0
"""No episode holds a tree for longer than this without another `reset` of its task, in seconds."""
_COMMIT_DATE = "2020-01-01T00:00:00+0000"


@dataclass(frozen=True, slots=True)
class SealedTree:
    """The agent's tree as a value."""

    tree: Tree
    hidden_tests: tuple[str, ...]
    digest: str
    certain: bool = False
    """The suite collects every test that is not hidden, by the text alone: that need not be tried."""


def buggy_files(pristine: Tree, bug_patch: str) -> dict[str, bytes | None]:
    """The files that the bug changes, as the bug leaves them. Raises: PatchDoesNotApply."""
    return patch.apply(bug_patch, reader(pristine))


def reader(tree: Tree) -> Callable[[str], bytes | None]:
    """Content of a regular file of `tree`, None where there is none: what `patch.apply` asks for."""

    def read(path: str) -> bytes | None:
        entry = tree.get(path)
        return None if entry is None or entry[0] == trees.LINK else entry[1]

    return read


def seal(
    pristine: Tree,
    bug_patch: str,
    fail_to_pass: tuple[str, ...],
    baseline_ids: tuple[str, ...],
    language: Language,
    *,
    hide_tests: HideTests = "functions",
) -> SealedTree:
    """The agent's tree for one bug. Pure. Raises: PatchDoesNotApply."""
    changed = buggy_files(pristine, bug_patch)
    hidden = language.hide_tests(
        trees.contents(pristine), fail_to_pass, baseline_ids, how=hide_tests, keep=frozenset(changed)
    )
    sealed = trees.replaced(trees.replaced(pristine, changed), hidden.files)
    return SealedTree(sealed, tuple(sorted(hidden.ids)), trees.digest(sealed), hidden.certain)


def materialize(sealed: SealedTree, backend: SandboxBackend, spec: SandboxSpec) -> Path:
    """Folder that holds the sealed tree with its one commit; made if it is not there yet. Never changed afterwards.

    `spec` is that of the image: the commit is made inside a sandbox. Raises: SandboxError, OSError.
    """
    final = home() / "sealed" / backend.name / sealed.digest[:24]
    if final.is_dir():
        if final.stat().st_mtime < time.time() - IDLE_S / 2:  # seldom: a folder that changes is another one to backends
            os.utime(final)
        return final
    final.parent.mkdir(parents=True, exist_ok=True)
    _make_room(final.parent, backend)
    with written(sealed, backend, spec) as temporary:
        try:
            temporary.rename(final)
        except OSError:
            if not final.is_dir():  # another process was faster: its tree is the same
                raise
    return final


@contextmanager
def written(sealed: SealedTree, backend: SandboxBackend, spec: SandboxSpec) -> Iterator[Path]:
    """Another folder that holds the same, which is removed at the end where it still is. Raises: as `materialize`."""
    folder = home() / "sealed" / backend.name / f".{sealed.digest[:24]}.{secrets.token_hex(4)}"
    try:
        trees.write(sealed.tree, folder)
        os.utime(folder)  # in use: nobody else makes room of it
        backend.own(folder)
        _commit(backend, replace(spec, tree=folder, limits=Limits()))
        backend.own(folder)
        yield folder
    finally:
        backend.remove_tree(folder)


def _make_room(folder: Path, backend: SandboxBackend) -> None:
    """Remove what nobody used for `IDLE_S`: half-made trees of drivers that died, and all but the newest others."""
    idle = time.time() - IDLE_S
    used = sorted(((each.stat().st_mtime, each) for each in folder.iterdir()), reverse=True)
    for place, (moment, each) in enumerate(used):
        if moment < idle and (place >= KEPT or each.name.startswith(".")):
            backend.remove_tree(each)


def _commit(backend: SandboxBackend, spec: SandboxSpec) -> None:
    dates: Mapping[str, str] = {"GIT_AUTHOR_DATE": _COMMIT_DATE, "GIT_COMMITTER_DATE": _COMMIT_DATE}
    with backend.start(spec) as sandbox:
        result = sandbox.run(_COMMIT, timeout_s=60, env=dates)
        if result.exit_code != 0:
            said = result.stderr.decode(errors="replace").strip()
            raise SandboxError(f"the sealed tree could not be committed: {said}")
        repository = sandbox.pack(f"{WORKDIR}/.git")
    (spec.tree / ".git").mkdir()
    entries.unpack(str(spec.tree / ".git"), repository)
