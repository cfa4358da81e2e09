"""A sandbox in a deployment: the client's, with what is different where a place has room for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock

from swesmith_gym.errors import SandboxDied, SandboxError, SandboxUnsupported
from swesmith_gym.sandboxes.base import Snapshot
from swesmith_gym.sandboxes.client import ClientSandbox
from swesmith_gym.sandboxes.inside import trees
from swesmith_gym.sandboxes.settings import Settings
from swesmith_gym.sandboxes.swerex.line import Line

_lost: dict[Path, str] = {}
"""Folders of this process that a build's sandbox was to write, and why it did not."""
_losing = Lock()


class SwerexSandbox(ClientSandbox):
    """`written`: path inside -> folder here that gets, when it is closed, what it holds inside (builds only)."""

    def __init__(
        self,
        line: Line,
        settings: Settings,
        again: Callable[[], ClientSandbox],
        *,
        many: bool,
        written: Mapping[str, Path],
    ) -> None:
        self._many = many
        self._written = dict(written)
        super().__init__(line, settings, again)

    def snapshot(self) -> Snapshot:
        self._need_room()
        return super().snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        self._need_room()
        super().restore(snapshot)

    def fork(self) -> ClientSandbox:
        self._need_room()
        return super().fork()

    def _need_room(self) -> None:
        if not self._many:
            raise SandboxUnsupported("no snapshots: this SWE-ReX deployment has room for one sandbox")

    def close(self) -> None:
        written, self._written = self._written, {}
        for path, folder in written.items():
            try:
                trees.unpack(str(folder), self.pack(path))
                reason = ""
            except (SandboxError, OSError) as error:
                reason = str(error)
            with _losing:
                _lost[folder] = reason
        super().close()


def check_written(folder: Path) -> None:
    """Raises: SandboxDied (what a build wrote there did not come back)."""
    with _losing:
        reason = _lost.pop(folder, "")
    if reason:
        raise SandboxDied(f"what was written to {folder} in the sandbox was lost: {reason}")
