"""One container as a sandbox's process 1: its stream, and its end."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Mapping
from typing import Any

from swesmith_gym.errors import SandboxDied, SandboxError
from swesmith_gym.sandboxes.connection import CHUNK, Peer
from swesmith_gym.sandboxes.docker.engine import Engine, translated

_HEAD = struct.Struct(">BxxxI")
_STDOUT = 1
_KEPT_ERRORS = 8192


class Streams:
    """Takes the daemon's frames apart: each is a byte for the stream, three of zero, and a length."""

    def __init__(self) -> None:
        self.errors = bytearray()
        self._rest = bytearray()
        self._left = 0
        self._stream = 0

    def feed(self, data: bytes) -> bytes:
        """What of `data` was written to standard output. The end of standard error is kept."""
        self._rest += data
        out = bytearray()
        while self._rest:
            if not self._left:
                if len(self._rest) < _HEAD.size:
                    break
                self._stream, self._left = _HEAD.unpack(self._rest[: _HEAD.size])
                del self._rest[: _HEAD.size]
            piece = self._rest[: self._left]
            del self._rest[: self._left]
            self._left -= len(piece)
            if self._stream == _STDOUT:
                out += piece
            else:
                self.errors = (self.errors + piece)[-_KEPT_ERRORS:]
        return bytes(out)


class Container(Peer):
    """Made, attached to, and started. The container's standard input ends with its driver: process 1 ends then, and the
    daemon removes the container."""

    def __init__(self, engine: Engine, config: Mapping[str, Any]) -> None:
        """`config`: what the daemon's interface calls the container's configuration. Raises: SandboxDied,
        SandboxUnavailable."""
        self._engine = engine
        self._streams = Streams()
        self._removed = False
        self._held: Any = None
        self.id: str = engine.ask(lambda api: api.create_container_from_config(dict(config)))["Id"]
        try:
            if not engine.podman:  # which attaches to what runs only; process 1 waits for its first request
                self._attach()
            engine.ask(lambda api: api.start(self.id))
            if engine.podman:
                self._attach()
        except BaseException:
            self.remove()
            raise
        engine.remove_left()

    def _attach(self) -> None:
        params = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        with translated():
            self._held = self._engine.api.attach_socket(self.id, params=params)
        self._socket: socket.socket = getattr(self._held, "_sock", self._held)
        self._socket.setblocking(False)
        self.requests = self.answers = self._socket.fileno()

    def write(self, data: memoryview) -> int:
        return self._socket.send(data)

    def read(self) -> bytes | None:
        data = self._socket.recv(CHUNK)
        return (self._streams.feed(data) or None) if data else b""

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def why(self) -> str:
        text = bytes(self._streams.errors).decode(errors="replace").strip()
        if text:
            return text.splitlines()[-1]
        try:
            state = self._engine.find(lambda api: api.inspect_container(self.id))
        except SandboxError as error:
            return str(error)
        if state is None:
            return "the container has gone"
        return f"the container is {state['State']['Status']} (exit code {state['State']['ExitCode']})"

    def remove(self) -> None:
        if self._removed:
            return
        self._removed = True
        if self._held is not None:
            for closing in (self._held._response.raw._fp, self._held._response.raw, self._held, self._socket):
                with contextlib.suppress(OSError, ValueError):  # each may have closed the next one
                    closing.close()
        self._engine.remove_or_leave(self.id)


def lost(error: SandboxError) -> SandboxDied:
    """What a failed hand-over means to whoever asked for a sandbox: another start may succeed."""
    return SandboxDied(f"the sandbox ended while it was started: {error}")
