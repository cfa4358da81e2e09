"""The change between two releases of a package, from their source archives on the package index.

Archives are data: they are unpacked in memory and compared there. Only files that both releases hold under one path
count: to take a whole module back, or to bring one back that nothing uses, is no bug that a person would make.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from swesmith_gym.errors import InputError
from swesmith_gym.repos import sources
from swesmith_gym.repos.changes import base
from swesmith_gym.repos.changes.base import SourceChange
from swesmith_gym.tasks import tree as trees


def between(
    package: str,
    old: str,
    new: str,
    *,
    keep: Callable[[str], bool] = lambda _: True,
    pinned: str = "",
    index_url: str | None = None,
    ca_bundle: Path | None = None,
) -> list[SourceChange]:
    """One change, to be taken apart in groups. `pinned`: hash of the newer release's archive, where it is known.

    Raises: InputError (the same release twice), ProfileError (one is not to be had).
    """
    if old == new:
        raise InputError(f"{package} {old} and {new} are one release: name two")

    def files(version: str, expected: str = "") -> dict[str, bytes]:
        found = sources.fetch(f"pypi:{package}=={version}", expected=expected, index_url=index_url, ca_bundle=ca_bundle)
        return trees.contents(found.tree)

    before, after = files(old), files(new, pinned)
    changed = [path for path in sorted(before.keys() & after.keys()) if before[path] != after[path]]
    found = {path: base.of_texts(path, path, before[path], after[path]) for path in changed if keep(path)}
    return [
        SourceChange(
            name=f"{old}..{new}",
            files=tuple(file for file in found.values() if file is not None),
            origin=f"{package} {old} to {new}",
            others=tuple(path for path in changed if found.get(path) is None),
            in_groups=True,
        )
    ]
