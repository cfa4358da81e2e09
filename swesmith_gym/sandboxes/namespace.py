"""One running bubblewrap: process 1 of its namespace, its streams, and what it leaves on the host until removed."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path

from swesmith_gym.errors import SandboxDied
from swesmith_gym.sandboxes.cgroups import Group
from swesmith_gym.sandboxes.connection import Peer
from swesmith_gym.sandboxes.runs import remove_tree

START_S = 30.0
"""Limit for making the namespace, in seconds: a busy host, not a broken one."""


def _file_of(content: bytes) -> int:
    """A descriptor that reads as `content`."""
    descriptor = os.memfd_create("content")
    os.pwrite(descriptor, content, 0)
    return descriptor


def _open(words: list[str], errors: int, kept: tuple[int, ...]) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C at the driver's terminal is the driver's business."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        words, stdin=pipe, stdout=pipe, stderr=errors, pass_fds=kept, start_new_session=True, cwd="/"
    )


class Namespace(Peer):
    """Made by the backend. `folder` is the episode's own and goes with it.

    In `command` the words `{info}` and `{seccomp}` stand for descriptors: of bubblewrap's report, and of `filters`.
    """

    def __init__(self, command: list[str], folder: Path, filters: bytes = b"") -> None:
        self.folder = folder
        self.group: Group | None = None
        self._errors = os.memfd_create("sandbox-errors")
        info, info_end = os.pipe()
        numbers = {"{info}": info_end, "{seccomp}": _file_of(filters)}
        words = [str(numbers.get(word, word)) for word in command]
        try:
            self._process = _open(words, self._errors, tuple(numbers.values()))
        except OSError:
            os.close(info)
            os.close(self._errors)
            raise
        finally:
            for number in numbers.values():
                os.close(number)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.requests = self._process.stdin.fileno()
        self.answers = self._process.stdout.fileno()
        os.set_blocking(self.requests, False)
        os.set_blocking(self.answers, False)
        self._removed = False
        self._pidfd = -1
        self.pid = self._first_process(info)

    def _first_process(self, info: int) -> int:
        """Host process id of process 1. Raises: SandboxDied, with what bubblewrap says."""
        raw = b""
        deadline = time.monotonic() + START_S
        with os.fdopen(info, "rb", buffering=0) as stream:
            poll = select.poll()
            poll.register(stream, select.POLLIN)
            while b"}" not in raw and poll.poll(max(0, deadline - time.monotonic()) * 1000):
                piece = stream.read(4096)
                if not piece:
                    break
                raw += piece
        try:
            pid: int = json.loads(raw)["child-pid"]
            self._pidfd = os.pidfd_open(pid)
        except (ValueError, KeyError, ProcessLookupError):
            self.kill()
            self._process.wait()
            reason = self.why()
            self.remove()
            raise SandboxDied(reason) from None
        return pid

    def confine(self, group: Group) -> None:
        """Put process 1 under limits before it is told anything; it goes last when memory is short."""
        self.group = group
        group.add(self.pid)

    def protect(self) -> None:
        """Process 1 goes last when memory is short. Only root may say so; else its children go first."""
        with contextlib.suppress(OSError):
            Path(f"/proc/{self.pid}/oom_score_adj").write_text("-1000")

    def oom_kills(self) -> int:
        return self.group.oom_kills() if self.group else 0

    def kill(self) -> None:
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError, OSError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        else:
            self._process.kill()

    def why(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        text = os.pread(self._errors, 8192, 0).decode(errors="replace").strip()
        code = self._process.returncode
        return text.splitlines()[-1] if text else f"its process 1 has gone (exit code {code})"

    def remove(self) -> None:
        if self._removed:
            return
        self._removed = True
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()
        for descriptor in (self._errors, self._pidfd):
            if descriptor >= 0:
                os.close(descriptor)
        self._pidfd = -1
        remove_tree(self.folder)
        if self.group:
            self.group.close()
