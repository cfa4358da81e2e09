"""The driver's side of a sandbox whose process 1 is `sandboxes.inside`: the contract over two byte streams.

Any backend that can start that program and carry bytes to it and back gets its `Sandbox` from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from swesmith_gym.errors import SandboxDied, SandboxUnsupported
from swesmith_gym.records import ExecResult, FileChange, FileEntry
from swesmith_gym.sandboxes.base import MAX_SNAPSHOT_BYTES, MAX_TREE_BYTES, WORKDIR, Sandbox, Shell, Snapshot
from swesmith_gym.sandboxes.connection import Channel, Connection
from swesmith_gym.sandboxes.settings import Settings

GRACE_S = 30.0
"""How much longer than a command's own limit an answer may take: sweeping, a busy host."""
KEPT = (WORKDIR, "/tmp", "/home/agent")
"""Folders that a snapshot holds."""
PING_S = 2.0
"""Limit for the answer of a sandbox that has nothing to do, in seconds."""
FILES_S = 300.0
"""Limit for an answer about files, in seconds."""


def _refuse_nul(*texts: str) -> None:
    if any("\0" in text for text in texts):
        raise ValueError("a command and its environment cannot hold a NUL byte")


Again = Callable[[], "ClientSandbox"]


class ClientShell(Shell):
    """The session of a `ClientSandbox`."""

    def __init__(self, sandbox: ClientSandbox) -> None:
        self._sandbox = sandbox
        self._restarted = False

    def run(self, command: str, *, timeout_s: float = 60.0) -> ExecResult:
        _refuse_nul(command)
        request = {"op": "shell", "command": command, "timeout_s": float(timeout_s)}
        answer = self._sandbox.carry_out(request)
        self._restarted = answer["restarted"]
        return _result(answer)

    @property
    def restarted(self) -> bool:
        return self._restarted


def _result(answer: Mapping[str, Any]) -> ExecResult:
    return ExecResult(
        exit_code=answer["exit_code"],
        stdout=answer["stdout"],
        stderr=answer["stderr"],
        duration_s=answer["duration_s"],
        timed_out=answer["timed_out"],
        oom_killed=answer["oom_killed"],
        output_truncated=answer["truncated"],
    )


class ClientSandbox(Sandbox):
    """A sandbox whose process 1 is `sandboxes.inside`."""

    def __init__(self, peer: Channel, settings: Settings, again: Again | None = None) -> None:
        """`again` starts another sandbox of the same spec, for `restore` and `fork`. Raises: SandboxDied."""
        self._peer = peer
        self._limits = settings.limits
        self.again = again
        self._connection = Connection(peer)
        self._shell = ClientShell(self)
        self._closed = False
        first = {"env": dict(settings.env), "limits": dict(settings.rlimits)}
        first |= {"filter": settings.filter, "relay": settings.relay}
        self._connection.ask({"op": "configure", **first}, GRACE_S)

    def fill(self, path: str, entries: list[list[Any]]) -> None:
        """Make a folder hold exactly these entries (`inside.trees`). Raises: OSError, SandboxDied."""
        self._connection.ask({"op": "unpack", "path": path, "entries": entries}, FILES_S)

    def pack(self, path: str, *, limit: int = MAX_TREE_BYTES) -> list[list[Any]]:
        request = {"op": "pack", "path": path, "limit": limit}
        entries: list[list[Any]] = self._connection.ask(request, FILES_S)["entries"]
        return entries

    def carry_out(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """A command's answer. Raises: SandboxDied."""
        before = self._peer.oom_kills()
        request = {**request, "output_bytes": self._limits.output_bytes}
        answer = self._connection.ask(request, request["timeout_s"] + GRACE_S)
        return {**answer, "oom_killed": answer["oom_killed"] or self._peer.oom_kills() > before}

    def run(
        self,
        command: str,
        *,
        timeout_s: float = 60.0,
        cwd: str = WORKDIR,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> ExecResult:
        _refuse_nul(command, *(env or {}), *(env or {}).values())
        request = {"op": "run", "command": command, "timeout_s": float(timeout_s), "cwd": cwd}
        return _result(self.carry_out({**request, "env": dict(env or {}), "stdin": stdin}))

    def shell(self) -> Shell:
        return self._shell

    def read_file(self, path: str, *, limit: int = 64 << 20) -> bytes:
        request = {"op": "read", "path": path, "limit": limit}
        answer, content = self._connection.ask_content(request, FILES_S)
        if len(content) != answer["size"]:
            raise OSError(f"{path}: the file changed while it was read")
        return content

    def apply(self, changes: tuple[FileChange, ...]) -> None:
        plain = [{"path": change.path, "data": change.data, "mode": change.mode} for change in changes]
        self._connection.ask({"op": "apply", "changes": plain}, FILES_S)

    def manifest(self, path: str = WORKDIR, *, max_files: int = 50_000) -> Mapping[str, FileEntry]:
        try:
            answer = self._connection.ask({"op": "manifest", "path": path, "max_files": max_files}, FILES_S)
        except SandboxDied:
            raise
        except OSError as error:
            raise OSError(f"{error.filename or path}: {error.strerror}") from None
        return {name: FileEntry(mode, size, digest) for name, mode, size, digest in answer["entries"]}

    def read_link(self, path: str) -> str:
        target: str = self._connection.ask({"op": "read_link", "path": path}, FILES_S)["target"]
        return target

    def snapshot(self) -> Snapshot:
        request = {"op": "save", "folders": list(KEPT), "limit": MAX_SNAPSHOT_BYTES}
        found = self._connection.ask(request, FILES_S)
        files = {path: tuple(map(tuple, entries)) for path, entries in found["files"].items()}
        return Snapshot(files, found["folder"], found["env"])

    def restore(self, snapshot: Snapshot) -> None:
        fresh = self._like(snapshot)
        old = self._connection
        self._peer, self._connection = fresh._peer, fresh._connection
        old.end()

    def fork(self) -> ClientSandbox:
        return self._like(self.snapshot())

    def _like(self, snapshot: Snapshot) -> ClientSandbox:
        if self.again is None:
            raise SandboxUnsupported("this sandbox cannot be started a second time")
        fresh = self.again()
        try:
            files = {path: list(entries) for path, entries in snapshot.files.items()}
            request = {"op": "load", "files": files, "folder": snapshot.folder, "env": dict(snapshot.env)}
            fresh._connection.ask(request, FILES_S)
        except BaseException:
            fresh.close()
            raise
        return fresh

    @property
    def alive(self) -> bool:
        return not self._closed and self._connection.alive and not self._peer.gone

    def answers(self) -> bool:
        """Process 1 is alive and free: asked, not assumed."""
        try:
            self._connection.ask({"op": "ping"}, PING_S)
        except SandboxDied:
            return False
        return True

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._connection.end()
