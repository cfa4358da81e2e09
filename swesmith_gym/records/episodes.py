"""What an agent did, and what it was worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a tree as a manifest lists it."""

    mode: int
    """`0o644`, `0o755`, or `0o120000` for a symbolic link."""
    size: int
    """Bytes."""
    sha256: str
    """Of the content; of the target's bytes for a link."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file as an agent left it. `data` None: deleted."""

    path: str
    data: bytes | None
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Submission:
    """An agent's work: typed file changes on the sealed tree. Sorted by path."""

    changes: tuple[FileChange, ...] = ()
    violation: str = ""
    """Set where the tree broke a rule (a cap, a link, a device): the submission is worth 0."""
    model_patch: str = ""
    """The same as a unified diff where it can be said as text, for people and exports."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What grading found. Exactly one of three kinds: a verdict, a violation or a fault."""

    instance_id: str
    resolved: bool
    f2p_success: tuple[str, ...] = ()
    f2p_failure: tuple[str, ...] = ()
    p2p_success: tuple[str, ...] = ()
    p2p_failure: tuple[str, ...] = ()
    patch_exists: bool = True
    """The submission changes something."""
    patch_applied: bool = True
    violation: str = ""
    """Caused by the submission: reward 0, valid."""
    fault: str = ""
    """Caused by the host: no reward at all."""
    drifted: int = 0
    """Required tests that the local baseline does not pass and that were left out."""
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One turn of an episode."""

    action: Any
    """`str` (a shell command) or a tool call (`dict`)."""
    observation: str
    reward: float
    terminated: bool
    truncated: bool
    info: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One episode from reset to verdict."""

    trajectory_id: str
    instance_id: str
    agent: str
    seed: int
    observation: str
    """What reset showed."""
    steps: tuple[Step, ...]
    reward: float
    reward_valid: bool
    resolved: bool
    model_patch: str
    info: Mapping[str, Any] = field(default_factory=dict)
