"""The wire to a process 1: how bytes come to it and back, and requests that each get an answer or the sandbox's end."""

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
from swesmith_gym.sandboxes.inside import wire

LONGEST_WAIT_S = 1000.0
"""Of one system call; what takes longer is asked for again."""
CLOSE_S = 10.0
"""How long an end waits for a call in another thread to notice."""
CHUNK = 1 << 20
PIECE = 1 << 16
SILENT = "process 1 of the sandbox does not answer; it was killed"


class Channel(ABC):
    """A running process 1: how bytes come to it and back, and how it is ended."""

    @abstractmethod
    def send(self, data: memoryview, deadline: float) -> int:
        """Hand over some of a request; how many bytes were taken. Raises: TimeoutError, OSError."""

    @abstractmethod
    def receive(self, deadline: float) -> bytes | None:
        """Some bytes of an answer; empty: there are no more; None: none yet. Raises: TimeoutError, OSError."""

    @property
    @abstractmethod
    def gone(self) -> bool:
        """It has ended, as far as that is seen without asking it."""

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


class Peer(Channel):
    """One that has two streams here. `requests` and `answers` are non-blocking descriptors."""

    requests: int
    answers: int

    def write(self, data: memoryview) -> int:
        """Hand over some of a request; how many bytes were taken. Raises: BlockingIOError, OSError."""
        return os.write(self.requests, data)

    def read(self) -> bytes | None:
        """Some bytes of an answer; empty: the stream has ended; None: none yet. Raises: BlockingIOError, OSError."""
        return os.read(self.answers, CHUNK)

    def send(self, data: memoryview, deadline: float) -> int:
        _wait(self.requests, select.POLLOUT, deadline)
        try:
            return self.write(data[:PIECE])
        except BlockingIOError:
            return 0

    def receive(self, deadline: float) -> bytes | None:
        _wait(self.answers, select.POLLIN, deadline)
        try:
            return self.read()
        except BlockingIOError:
            return None

    @property
    def gone(self) -> bool:
        poll = select.poll()
        poll.register(self.requests, 0)
        return bool(poll.poll(0))


def _wait(descriptor: int, event: int, deadline: float) -> None:
    """Until it is ready, or for a long time. Raises: TimeoutError."""
    poll = select.poll()
    poll.register(descriptor, event)
    left_s = deadline - time.monotonic()
    if not poll.poll(min(max(left_s, 0), LONGEST_WAIT_S) * 1000) and left_s <= LONGEST_WAIT_S:
        raise TimeoutError


class Connection:
    """Requests and answers over a channel, each with a time limit."""

    def __init__(self, peer: Channel) -> None:
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
            self._refuse_closed()
            try:
                view = view[self.peer.send(view, deadline) :]
            except TimeoutError:
                raise self._died(SILENT) from None
            except OSError:
                raise self._died(self.peer.why()) from None

    def _receive(self, deadline: float) -> Any:
        """Read one frame. Raises: SandboxDied."""
        size = wire.frame_length(self._bytes(4, deadline))
        return wire.loads(self._bytes(size, deadline))

    def _bytes(self, size: int, deadline: float) -> bytes:
        while len(self._buffer) < size:
            self._refuse_closed()
            try:
                piece = self.peer.receive(deadline)
            except TimeoutError:
                raise self._died(SILENT) from None
            except OSError:
                piece = b""
            if piece is None:
                continue
            if not piece:
                raise self._died(self.peer.why())
            self._buffer += piece
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found

    def _refuse_closed(self) -> None:
        if not self.alive:
            raise SandboxDied("the sandbox is closed")

    def _died(self, reason: str) -> SandboxDied:
        self.alive = False
        self.peer.kill()
        return SandboxDied(f"the sandbox ended during a call: {reason}")

    def end(self) -> None:
        """The end of the sandbox. A call that is under way in another thread ends first, with SandboxDied."""
        self.alive = False
        self.peer.kill()
        held = self.lock.acquire(timeout=CLOSE_S)  # one in our own thread (a signal handler's) cannot end first
        self.peer.remove()
        if held:
            self.lock.release()


def _checked(answer: Any) -> Any:
    error = answer.get("error") if isinstance(answer, dict) else None
    if error:
        number, text, path = error
        raise OSError(number, text, path) if path else OSError(number, text)
    return answer
