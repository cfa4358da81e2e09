"""What the runner's processes say to each other: JSON lines over a socket, some with bytes or a descriptor behind."""

from __future__ import annotations

import array
import json
import socket
from typing import Any


class Lines:
    """One end of a stream socket."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._heard = b""
        self._descriptors = array.array("i")

    def send(self, value: dict[str, Any], data: bytes = b"", *, descriptor: int | None = None) -> None:
        """One line. Raises: OSError (nobody listens)."""
        message = json.dumps({**value, "size": len(data)}).encode() + b"\n" + data
        if descriptor is not None:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]
            message = message[self._end.sendmsg([message], rights) :]
        self._end.sendall(message)

    def take(self) -> dict[str, Any] | None:
        """The next line that is whole, its bytes under `data`; None: there is none yet."""
        line, end, rest = self._heard.partition(b"\n")
        if not end:
            return None
        value: dict[str, Any] = json.loads(line)
        size = value.pop("size")
        if len(rest) < size:
            return None
        value["data"], self._heard = rest[:size], rest[size:]
        return value

    def receive(self) -> bool:
        """Wait for more. False: the other end is closed."""
        more, ancillary, _, _ = self._end.recvmsg(1 << 20, socket.CMSG_SPACE(self._descriptors.itemsize))
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                self._descriptors.frombytes(content[: len(content) - len(content) % self._descriptors.itemsize])
        self._heard += more
        return bool(more)

    def wait(self) -> dict[str, Any] | None:
        """The next line; None: the other end is closed."""
        while (value := self.take()) is None:
            if not self.receive():
                return None
        return value

    def socket(self) -> socket.socket:
        """The one whose descriptor came with the last line."""
        return socket.socket(fileno=self._descriptors.pop(0))

    def fileno(self) -> int:
        """For `select`."""
        return self._end.fileno()

    def close(self) -> None:
        """This process neither sends nor listens any more."""
        self._end.close()
