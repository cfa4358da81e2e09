"""The session: one bash whose variables, functions and folder persist from command to command."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
import time

from .commands import BASH, STATUS_FD, Host, close_all, existing_folder, make_pipe, read_into
from .processes import CHUNK, Capped, Start, decode_status

TYPE_CHECKING = False  # importing typing would take half of the start-up time
if TYPE_CHECKING:
    from typing import Any


OUTPUT_FD = STATUS_FD + 1
STATE_S = 5.0
"""How long the bash may take to say its variables."""
OWN = (b"_", b"SHLVL")
"""Variables that every bash sets for itself."""


class Session:
    """Made once per sandbox; its bash is started when it is needed and replaced when it has ended."""

    def __init__(self, host: Host, folder: str) -> None:
        self.host = host
        self.folder = folder
        self.pid = 0
        self.number = 0
        self.last_status = 0
        self._forgotten = False
        self._env: dict[str, str] | None = None
        self._script = self._status = self._output = -1

    def run(self, command: str, timeout_s: float, output_bytes: int) -> dict[str, Any]:
        """One command to its end, to the end of the session's bash, or to its time limit."""
        started = time.monotonic()
        restarted = self._lost()
        if not self.pid:
            self._start()
        output = Capped(output_bytes)
        _drain(self._output, output)
        code = self._follow(self._line(command), output, started + timeout_s)
        timed_out = code is None and self.pid not in self.host.children.ended
        if code is None:
            code = self._end(output, timed_out, timeout_s)
            restarted = True
        else:
            self.last_status = code
            self.folder = self._here()
        return {
            "exit_code": code,
            "stdout": output.value(),
            "stderr": b"",
            "truncated": output.dropped > 0,
            "timed_out": timed_out,
            "restarted": restarted,
            "duration_s": time.monotonic() - started,
        }

    def forget(self) -> None:
        """Everything was killed: the next command finds a fresh bash."""
        if self.pid:
            self._discard()
            self._forgotten = True

    def begin(self, folder: str, env: dict[str, str]) -> None:
        """What the next bash starts with. An empty environment: the sandbox's own."""
        self.folder = folder
        self._env = env or None

    def state(self) -> tuple[str, dict[str, str]]:
        """Working directory and exported variables; no variables where no bash runs."""
        self.host.children.reap()
        if not self.pid or self.pid in self.host.children.ended:
            return self.folder, dict(self._env or {})
        return self._here(), self._exported()

    def _exported(self) -> dict[str, str]:
        """Asked of the bash itself, over the pipe that no command holds."""
        self.number += 1
        end = f"builtin printf '\\0%d %d\\n' {self.number} 0"
        pending = memoryview(f"{{ command env -0; {end}; }} >&{STATUS_FD} 2>/dev/null\n".encode())
        heard, mark = bytearray(), b"\0\0%d 0\n" % self.number
        deadline = time.monotonic() + STATE_S
        while mark not in heard and self.pid not in self.host.children.ended and time.monotonic() < deadline:
            pending = self._send(pending)
            if self._status in self.host.wait([self._status], [self._script] if pending else [], deadline):
                heard += os.read(self._status, CHUNK)
        pairs = (pair.partition(b"=") for pair in bytes(heard).partition(mark)[0].split(b"\0"))
        return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs if name and name not in OWN}

    def _start(self) -> None:
        script, status, output = make_pipe(), make_pipe(), make_pipe()
        places = {0: script[0], 1: output[1], 2: output[1], STATUS_FD: status[1], OUTPUT_FD: output[1]}
        self.folder = existing_folder(self.folder)
        argv = [BASH, "bash", "--noprofile", "--norc", "-O", "expand_aliases", "-s"]
        env = self.host.env if self._env is None else self._env
        start = Start(argv, env, self.folder, places)
        start.subreaper = True  # what its commands leave behind stays below it
        self.pid = self.host.spawn(start)
        close_all((script[0], status[1], output[1]))
        self._script, self._status, self._output = script[1], status[0], output[0]
        for descriptor in (self._script, self._status, self._output):
            os.set_blocking(descriptor, False)
        self.last_status = 0
        self._mute = False

    def _line(self, command: str) -> bytes:
        """What the bash reads: the command as one word for `eval`, then a report of its status.

        The former status is put back first, so that `$?` is what the last command left.
        """
        self.number += 1
        before = {0: "", 1: "! :\n"}.get(self.last_status, f"(exit {self.last_status})\n")
        word = "'" + (before + command).replace("'", "'\\''") + "'"
        report = f"builtin printf '%d %d\\n' {self.number} $? 2>/dev/null >&{STATUS_FD}"
        # its own redirections end with it: an `exec >file` would leave all later commands without output
        places = f"</dev/null >&{OUTPUT_FD} 2>&{OUTPUT_FD} {STATUS_FD}>&- {OUTPUT_FD}>&-"
        # an empty line and no braces: what an open quote of the command leaves behind does not swallow the report
        line = f"eval {word} {places}\n\n{report}\n"
        return line.encode("utf-8", "surrogateescape")

    def _follow(self, line: bytes, output: Capped, deadline: float) -> int | None:
        """The command's status; None: the bash has ended, or time is up."""
        pending = memoryview(line)
        heard = bytearray()
        while self.pid not in self.host.children.ended and time.monotonic() < deadline:
            pending = self._send(pending)
            writes = [self._script] if pending else []
            reads = [self._status] if self._mute else [self._status, self._output]
            ready = self.host.wait(reads, writes, deadline)
            if self._status in ready:
                heard += os.read(self._status, 4096)
                code = _status_of(heard, self.number)
                # bash keeps copies of its pipes while it evaluates: a report that a command forges comes too early
                if code is not None and not pending and not _waiting(self._script):
                    _drain(self._output, output)
                    return code
                if not heard.endswith(b"\n") and len(heard) > 4096:
                    heard.clear()
            if self._output in ready and read_into(self._output, output) == 0:
                self._mute = True  # the session closed its output
        return None

    def _send(self, pending: memoryview) -> memoryview:
        try:
            while pending:
                pending = pending[os.write(self._script, pending[:CHUNK]) :]
        except (BlockingIOError, BrokenPipeError):
            pass
        return pending

    def _end(self, output: Capped, timed_out: bool, timeout_s: float) -> int | None:
        """End all processes of the session; the exit code of its bash, None where we ended it."""
        if timed_out:
            self.folder = self._here()
        self.host.children.kill_all()
        code = decode_status(self.host.children.ended[self.pid])
        _drain(self._output, output)
        if timed_out:
            text = f"\n[time limit of {timeout_s:g} s reached: all processes of the shell were killed]\n"
            output.add(text.encode())
        self._discard()
        return None if timed_out else code

    def _lost(self) -> bool:
        """The bash ended, or was ended, between two commands."""
        if self._forgotten:
            self._forgotten = False
            return True
        self.host.children.reap()
        if not self.pid or self.pid not in self.host.children.ended:
            return False
        self.host.children.kill_all()
        self._discard()
        return True

    def _discard(self) -> None:
        self.host.children.forget(self.pid)
        close_all((self._script, self._status, self._output))
        self.pid = 0

    def _here(self) -> str:
        try:
            return os.readlink(f"/proc/{self.pid}/cwd")
        except OSError:
            return self.folder


def _status_of(heard: bytearray, number: int) -> int | None:
    for line in reversed(bytes(heard).split(b"\n")):
        words: list[bytes] = line.split()
        if len(words) == 2 and words[0] == b"%d" % number and words[1].isdigit():
            return int(words[1]) & 255
    return None


def _waiting(descriptor: int) -> int:
    """Bytes that are in a pipe, from either end."""
    try:
        found: int = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0\0\0\0"))[0]
    except OSError:
        return 0
    return found


def _drain(descriptor: int, into: Capped) -> None:
    """Read what is in the pipe now, and no more: a background job may go on writing."""
    waiting = _waiting(descriptor)
    while waiting > 0:
        count = read_into(descriptor, into, min(waiting, CHUNK))
        if count <= 0:
            return
        waiting -= count
