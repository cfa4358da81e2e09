"""The state of a running episode as a value: what `BugFixEnv.snapshot` gives and `restore` takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swesmith_gym.records import FileChange
from swesmith_gym.sandboxes.base import Snapshot


@dataclass(frozen=True, slots=True)
class EpisodeSnapshot:
    """An episode at one moment. Nothing on the host belongs to it, so that it is freed by being forgotten; it pickles.

    It fits every environment that plays the same task with the same arguments on the same sandbox backend.
    """

    instance_id: str
    sandbox: Snapshot
    """Files, and the session's folder and exported variables."""
    steps: int
    output_bytes: int
    seconds: float
    """Of the episode's time that were used."""
    edits: Mapping[str, tuple[FileChange, ...]]
    """What `undo_edit` can take back."""
    random: Mapping[str, Any]
    """State of the generator that chooses the next tasks."""
    last: str
    """The observation that was shown last."""
