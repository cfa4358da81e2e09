"""The driver's side of a sandbox whose process 1 is `sandboxes.inside`: the contract over two byte streams.

Any backend that can start that program and hand over its standard input and output gets its `Sandbox` from here.
"""

from __future__ import annotations

import os
import select
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from swesmith_gym.errors import SandboxDied
from swesmith_gym.records import ExecResult, FileChange, FileEntry
from swesmith_gym.sandboxes.base import WORKDIR, Limits, Sandbox, Shell
from swesmith_gym.sandboxes.inside import wire

GRACE_S = 30.0
"""How much longer than a command's own limit an answer may take: sweeping, a busy host."""
CLOSE_S = 10.0
"""How long `close` waits for a call in another thread to notice."""
LONGEST_WAIT_S = 1000.0
"""Of one system call; what takes longer is asked for again."""
FILES_S = 300.0
"""Limit for an answer about files, in seconds."""


class Peer(ABC):
    """A running process 1: its streams, and how it is ended. `requests` and `answers` are non-blocking descriptors."""

    requests: int
    answers: int

    @abstractmethod
    def kill(self) -> None:
        """End everything inside at once. Idempotent, never raises."""

    @abstractmethod
    def remove(self) -> None:
        """After `kill`: wait for the end, close the streams, remove every trace on the host. Never raises."""

    @abstractmethod
    def why(self) -> str:
        """Why it ended, as far as that is known, in one line."""

    def oom_kills(self) -> int:
        """Processes killed so far because the sandbox's memory was used up."""
        return 0


class Connection:
    """Requests and answers over a peer's streams, each with a time limit."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.lock = threading.Lock()
        self.alive = True
        self._buffer = bytearray()

    def ask(self, request: Mapping[str, Any], limit_s: float) -> Any:
        """The answer to a request. Raises: SandboxDied, OSError (as it was raised inside)."""
        data = wire.frame(request)
        with self.lock, self._whole():
            self._send(data, time.monotonic() + limit_s)
            answer = self._receive(time.monotonic() + limit_s)
        return _checked(answer)

    def ask_content(self, request: Mapping[str, Any], limit_s: float) -> tuple[Any, bytes]:
        """The answer, and the content that follows it in pieces. Raises: as `ask`."""
        data = wire.frame(request)
        deadline = time.monotonic() + limit_s
        content = bytearray()
        with self.lock, self._whole():
            self._send(data, deadline)
            answer = self._receive(deadline)
            while "error" not in answer and (piece := self._receive(deadline)):
                content += piece
        return _checked(answer), bytes(content)

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """A call that is broken off (Ctrl-C, a frame that makes no sense) leaves no answer for the next to take: it is
        the sandbox's end."""
        try:
            yield
        except ValueError as error:
            raise self._died(str(error)) from None
        except BaseException:
            self.alive = False
            self.peer.kill()
            raise

    def _send(self, data: bytes, deadline: float) -> None:
        """Write one frame. Raises: SandboxDied."""
        view = memoryview(data)
        while view:
            self._wait(self.peer.requests, select.POLLOUT, deadline)
            try:
                view = view[os.write(self.peer.requests, view[: 1 << 16]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise self._died(self.peer.why()) from None

    def _receive(self, deadline: float) -> Any:
        """Read one frame. Raises: SandboxDied."""
        size = wire.frame_length(self._bytes(4, deadline))
        return wire.loads(self._bytes(size, deadline))

    def _bytes(self, size: int, deadline: float) -> bytes:
        while len(self._buffer) < size:
            self._wait(self.peer.answers, select.POLLIN, deadline)
            try:
                piece = os.read(self.peer.answers, 1 << 20)
            except BlockingIOError:
                continue
            except OSError:
                piece = b""
            if not piece:
                raise self._died(self.peer.why())
            self._buffer += piece
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        if not self.alive:
            raise SandboxDied("the sandbox is closed")
        poll = select.poll()
        poll.register(descriptor, event)
        left_s = deadline - time.monotonic()
        if not poll.poll(min(max(left_s, 0), LONGEST_WAIT_S) * 1000) and left_s <= LONGEST_WAIT_S:
            raise self._died("process 1 of the sandbox does not answer; it was killed")

    def _died(self, reason: str) -> SandboxDied:
        self.alive = False
        self.peer.kill()
        return SandboxDied(f"the sandbox ended during a call: {reason}")


def _checked(answer: Any) -> Any:
    error = answer.get("error") if isinstance(answer, dict) else None
    if error:
        number, text, path = error
        raise OSError(number, text, path) if path else OSError(number, text)
    return answer


def _refuse_nul(*texts: str) -> None:
    if any("\0" in text for text in texts):
        raise ValueError("a command and its environment cannot hold a NUL byte")


class ClientShell(Shell):
    """The session of a `ClientSandbox`."""

    def __init__(self, connection: Connection, limits: Limits) -> None:
        self._connection = connection
        self._limits = limits
        self._restarted = False

    def run(self, command: str, *, timeout_s: float = 60.0) -> ExecResult:
        _refuse_nul(command)
        before = self._connection.peer.oom_kills()
        request = {
            "op": "shell",
            "command": command,
            "timeout_s": float(timeout_s),
            "output_bytes": self._limits.output_bytes,
        }
        answer = self._connection.ask(request, timeout_s + GRACE_S)
        self._restarted = answer["restarted"]
        return _result(answer, self._connection.peer.oom_kills() > before)

    @property
    def restarted(self) -> bool:
        return self._restarted


def _result(answer: Mapping[str, Any], oom_killed: bool) -> ExecResult:
    return ExecResult(
        exit_code=answer["exit_code"],
        stdout=answer["stdout"],
        stderr=answer["stderr"],
        duration_s=answer["duration_s"],
        timed_out=answer["timed_out"],
        oom_killed=oom_killed,
        output_truncated=answer["truncated"],
    )


class ClientSandbox(Sandbox):
    """A sandbox whose process 1 is `sandboxes.inside`."""

    def __init__(self, peer: Peer, env: Mapping[str, str], limits: Limits, rlimits: Mapping[str, int]) -> None:
        self._peer = peer
        self._limits = limits
        self._connection = Connection(peer)
        self._shell = ClientShell(self._connection, limits)
        self._closed = False
        self._connection.ask({"op": "configure", "env": dict(env), "limits": dict(rlimits)}, GRACE_S)

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
        before = self._peer.oom_kills()
        request = {
            "op": "run",
            "command": command,
            "timeout_s": float(timeout_s),
            "cwd": cwd,
            "env": dict(env or {}),
            "stdin": stdin,
            "output_bytes": self._limits.output_bytes,
        }
        answer = self._connection.ask(request, timeout_s + GRACE_S)
        return _result(answer, self._peer.oom_kills() > before)

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

    @property
    def alive(self) -> bool:
        if self._closed or not self._connection.alive:
            return False
        poll = select.poll()
        poll.register(self._peer.requests, 0)
        return not poll.poll(0)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._connection.alive = False
        self._peer.kill()
        # A call that is under way in another thread ends first, with SandboxDied; one in our own cannot.
        held = self._connection.lock.acquire(timeout=CLOSE_S)
        self._peer.remove()
        if held:
            self._connection.lock.release()
