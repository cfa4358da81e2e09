"""One command in a fresh bash, and the session: a bash that reads its commands from a pipe.

The session's status comes back over a pipe of its own with the number of the command, so that nothing a command
prints is taken for its end. Each command is one `eval` at the top level of that bash: what it defines stays.
"""

from __future__ import annotations

import os
import select
import time

from .processes import CHUNK, Capped, Children, Start, decode_status, spawn

TYPE_CHECKING = False  # importing typing would take half of the start-up time
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

BASH = "/bin/bash"
STATUS_FD = 100
LONGEST_WAIT_MS = 1_000_000
ARGUMENT_LIMIT = 100_000
"""Bytes; a longer command does not fit into one argument of execve."""


class Host:
    """What every command shares: the children, the environment, the limits, and the driver's connection."""

    def __init__(self, children: Children, control: int, private: Iterable[int]) -> None:
        self.children = children
        self.control = control
        self.private = list(private)
        self.env: dict[str, str] = {}
        self.limits: dict[str, int] = {}

    def spawn(self, start: Start) -> int:
        """Start a child under the limits, and note how it ends."""
        start.limits = self.limits
        start.private = self.private
        pid = spawn(start)
        self.children.watch(pid)
        return pid

    def wait(self, reads: list[int], writes: list[int], deadline: float) -> list[int]:
        """Descriptors that are ready, none at the deadline. Ends the sandbox when the driver has gone."""
        poll = select.poll()
        poll.register(self.control, 0)
        for descriptor in (*reads, self.children.wakeup):
            poll.register(descriptor, select.POLLIN)
        for descriptor in writes:
            poll.register(descriptor, select.POLLOUT)
        left_ms = min((deadline - time.monotonic()) * 1000 + 1, LONGEST_WAIT_MS)
        ready = dict(poll.poll(max(int(left_ms), 0)))
        if ready.get(self.control, 0) & ~select.POLLIN and not ready[self.control] & select.POLLIN:
            self.children.end()
        if self.children.wakeup in ready:
            self.children.reap()
        return list(ready)


def read_into(descriptor: int, into: Capped, size: int = CHUNK) -> int:
    """Bytes read; 0 at the end of the stream, -1 where there is nothing now."""
    try:
        data = os.read(descriptor, size)
    except BlockingIOError:
        return -1
    into.add(data)
    return len(data)


def make_pipe() -> list[int]:
    ends = os.pipe()
    return [ends[0], ends[1]]


def close_all(descriptors: Iterable[int | None]) -> None:
    for descriptor in descriptors:
        if descriptor is not None:
            os.close(descriptor)


class Run:
    """One command in a fresh bash."""

    def __init__(self, host: Host, request: dict[str, Any]) -> None:
        self.host = host
        self.request = request
        self.out = Capped(request["output_bytes"])
        self.err = Capped(request["output_bytes"])
        self.streams: dict[int, Capped] = {}
        self.stdin: int | None = None
        self.pending = memoryview(request["stdin"])

    def result(self, shell: int) -> dict[str, Any]:
        """Run it to its end or its time limit; afterwards nothing that it started is alive."""
        started = time.monotonic()
        pid = self._start()
        timed_out = self._follow(pid, started + self.request["timeout_s"])
        children = self.host.children
        if shell:
            children.sweep(shell)
        else:
            children.kill_all()
        while pid not in children.ended:
            self.host.wait([], [], time.monotonic() + 1)
        status = children.ended[pid]
        children.forget(pid)
        self._drain()
        return {
            "exit_code": None if timed_out else decode_status(status),
            "stdout": self.out.value(),
            "stderr": self.err.value(),
            "truncated": bool(self.out.dropped or self.err.dropped),
            "timed_out": timed_out,
            "duration_s": time.monotonic() - started,
        }

    def _start(self) -> int:
        stdin, out, err = make_pipe(), make_pipe(), make_pipe()
        places = {0: stdin[0], 1: out[1], 2: err[1]}
        command = self.request["command"]
        argv = [BASH, "bash", "--noprofile", "--norc", "-c", command]
        script = None
        if len(command.encode("utf-8", "surrogateescape")) > ARGUMENT_LIMIT:
            script = _script(f"exec {STATUS_FD}<&-; {command}")
            places[STATUS_FD] = script
            argv = [BASH, "bash", "--noprofile", "--norc", f"/dev/fd/{STATUS_FD}"]
        env = dict(self.host.env, **self.request["env"])
        pid = self.host.spawn(Start(argv, env, self.request["cwd"], places))
        close_all((stdin[0], out[1], err[1], script))
        for descriptor in (stdin[1], out[0], err[0]):
            os.set_blocking(descriptor, False)
        self.stdin = stdin[1]
        self.streams = {out[0]: self.out, err[0]: self.err}
        self._feed()
        return pid

    def _follow(self, pid: int, deadline: float) -> bool:
        """Until the command's bash has ended or time is up; True: time was up."""
        while pid not in self.host.children.ended:
            if time.monotonic() >= deadline:
                return True
            writes = [] if self.stdin is None else [self.stdin]
            for descriptor in self.host.wait(list(self.streams), writes, deadline):
                if descriptor == self.stdin:
                    self._feed()
                elif descriptor in self.streams and read_into(descriptor, self.streams[descriptor]) == 0:
                    del self.streams[descriptor]
                    os.close(descriptor)
        return False

    def _feed(self) -> None:
        try:
            while self.pending:
                assert self.stdin is not None
                self.pending = self.pending[os.write(self.stdin, self.pending[:CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.pending = memoryview(b"")
        close_all((self.stdin,))
        self.stdin = None

    def _drain(self) -> None:
        for descriptor, into in self.streams.items():
            while read_into(descriptor, into) > 0:
                pass
        close_all((*self.streams, self.stdin))


def _script(command: str) -> int:
    descriptor = os.memfd_create("command")
    view = memoryview(command.encode("utf-8", "surrogateescape"))
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def existing_folder(path: str) -> str:
    """The folder, or the nearest one above it that is still there and can be entered."""
    path = path.replace(" (deleted)", "")
    while path not in ("", "/") and not os.access(path, os.X_OK):
        path = os.path.dirname(path)
    return path or "/"
