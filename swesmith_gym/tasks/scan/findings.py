"""What the leak scan finds, and the leaks that it looks for."""

from __future__ import annotations

from dataclasses import dataclass

LEAKS = {
    "L01": "later commits",
    "L02": "reflog, branches, tags",
    "L03": "dangling or packed objects",
    "L04": "stash, worktrees, notes, old heads, hooks, alternates",
    "L05": "the tree before the bug or with the tests, as a commit",
    "L06": "branches of other tasks",
    "L07": "a remote to fetch from",
    "L08": "the network or a package index",
    "L09": "a second copy of the package where modules are imported from",
    "L10": "a second copy in an archive, build folder or cache",
    "L11": "byte code of the original",
    "L12": "caches of tools",
    "L13": "tests, patch or solution",
    "L14": "output of a verifier",
    "L15": "a statement that holds the solution",
    "L16": "names that tell the kind of bug",
    "L17": "time stamps, order or formatting that tell the edited file",
    "L18": "what another episode left behind",
}
"""Leak id -> what it is, in a few words."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One leak of one task."""

    instance_id: str
    leak: str
    """One of LEAKS."""
    place: str
    """Where: a path inside of the sandbox, a part of git, a column of the table."""
    what: str
    """What was found there, for people."""
