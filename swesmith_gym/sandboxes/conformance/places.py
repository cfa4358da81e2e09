"""Folders for the cases about files: one for each way of running commands; calls take names relative to it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from swesmith_gym.records import ExecResult, FileChange, FileEntry
from swesmith_gym.sandboxes.base import WORKDIR
from swesmith_gym.sandboxes.conformance.trial import WAYS, Trial, Way, demand, shown

KEPT = b"kept\n"
"""Content of the file `keep`."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of the work tree, with one file `keep` in it."""

    trial: Trial
    way: Way
    folder: str

    def path(self, name: str) -> str:
        """As the calls of the contract take it; an absolute one stays."""
        return name if name.startswith("/") else f"{self.folder}/{name}"

    def do(self, command: str, *, timeout_s: float = 10.0) -> ExecResult:
        """Run a command in it."""
        inside = f"(cd {shlex.quote(f'{WORKDIR}/{self.folder}')} || exit 99\n{command}\n)"
        return self.trial.do(self.way, inside, timeout_s=timeout_s)

    def make(self, command: str) -> None:
        """Run a command that fails in no sandbox. Raises: Violation."""
        result = self.do(command)
        demand(result.exit_code == 0, f"{self.way}: {command[:60]!r} fails: {shown(result)}")

    def read(self, name: str, limit: int = 1 << 20) -> bytes:
        return self.trial.call(lambda sandbox: sandbox.read_file(self.path(name), limit=limit))

    def link(self, name: str) -> str:
        return self.trial.call(lambda sandbox: sandbox.read_link(self.path(name)))

    def apply(self, *changes: FileChange) -> None:
        self.trial.call(lambda sandbox: sandbox.apply(tuple(map(self._moved, changes))))

    def manifest(self, max_files: int = 50_000) -> Mapping[str, FileEntry]:
        return self.trial.call(lambda sandbox: sandbox.manifest(self.folder, max_files=max_files))

    def no_read(self, name: str, *kinds: type[OSError], limit: int = 1 << 20) -> None:
        """Reading it must fail, with one of these."""
        words = f"read_file gives {name[:40]!r} out"
        self.trial.refusal(lambda sandbox: sandbox.read_file(self.path(name), limit=limit), words, *kinds)

    def no_apply(self, name: str, words: str) -> None:
        """Writing it must fail."""
        change = self._moved(FileChange(name, b"changed\n"))
        self.trial.refusal(lambda sandbox: sandbox.apply((change,)), words)

    def no_manifest(self, words: str, max_files: int = 50_000) -> OSError:
        """The error of a listing that must fail."""
        return self.trial.refusal(lambda sandbox: sandbox.manifest(self.folder, max_files=max_files), words)

    def holds(self, name: str, data: bytes) -> None:
        """A file, read by a command, is exactly this. Raises: Violation."""
        result = self.do(f"cat -- {shlex.quote(name)}")
        demand(result.stdout == data, f"{name[:40]!r} holds something else: {shown(result)}")

    def _moved(self, change: FileChange) -> FileChange:
        return FileChange(self.path(change.path), change.data, change.mode)


def in_places(act: Callable[[Place], None]) -> Callable[[Trial], None]:
    """A case that does the same in one place after the other; each is emptied when its turn is over."""

    def whole(trial: Trial) -> None:
        for way in WAYS:
            place = Place(trial, way, f"by-{way}")
            place.apply(FileChange("keep", KEPT))
            act(place)
            place.do("chmod -R u+rwx . 2>/dev/null; rm -rf -- ./* ./.git", timeout_s=30)

    return whole
