"""One running process 1 without a namespace, and the guard beside it that ends all that comes of it.

The guard notices by itself when the driver has gone, in whatever way. A driver that is stopped keeps its sandbox. Where
the guard has been killed itself (only root can, where the driver is root) its work is done here as far as possible: the
dedicated user's processes are ended, an ordinary user's are not known any more.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swesmith_gym.errors import SandboxDied
from swesmith_gym.sandboxes import program, roots
from swesmith_gym.sandboxes.cgroups import Group
from swesmith_gym.sandboxes.connection import Peer
from swesmith_gym.sandboxes.process import user
from swesmith_gym.sandboxes.process.turn import Turn

START_S = 30.0
"""Limit for starting an interpreter, in seconds: a busy host, not a broken one."""
END_S = 15.0
"""Limit for the guard to end everything: it gives up by itself before that."""
_SANDBOXES = Path(__file__).parents[1]
_GUARD = (
    "import sys, types; top = sys.modules['sandboxes'] = types.ModuleType('sandboxes'); top.__path__ = [sys.argv[1]]; "
    "from sandboxes.process.guard.main import main; main()"
)
"""The guard as part of a package that has nothing else: the real one would load all of this program."""


class Guarded(Peer):
    """Made by the backend, which then says what process 1 becomes (`begin`). The turn goes with it."""

    def __init__(self, turn: Turn) -> None:
        """Raises: SandboxDied, OSError."""
        self.group: Group | None = None
        self._turn = turn
        self._removed = False
        self._pidfd = -1
        self._errors = os.memfd_create("sandbox-errors")
        life, told = os.pipe()
        self._life = [told]
        order, self._order = os.pipe()
        report, reported = os.pipe()
        try:
            self._process = self._open(life, order, reported)
        except OSError:
            for descriptor in (self._errors, told, self._order, report):
                os.close(descriptor)
            raise
        finally:
            for descriptor in (life, order, reported):
                os.close(descriptor)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.guard = self._process.pid
        self.requests = self._process.stdin.fileno()
        self.answers = self._process.stdout.fileno()
        os.set_blocking(self.requests, False)
        os.set_blocking(self.answers, False)
        self.pid = self._first_process(report)

    def _open(self, life: int, order: int, reported: int) -> subprocess.Popen[bytes]:
        """In a session of its own: Ctrl-C at the driver's terminal is the driver's business.

        It has the turn as well, so that nobody else gets it before the guard's work is done.
        """
        python = program.interpreter(roots.HOST).compiler or Path(sys.executable)
        uid = user.sandbox_uid() if user.dedicated() else 0
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [str(python), "-I", "-S", "-B", "-c", _GUARD, str(_SANDBOXES), *map(str, (life, order, reported, uid))],
            stdin=pipe,
            stdout=pipe,
            stderr=self._errors,
            pass_fds=(life, order, reported, self._turn.descriptor),
            start_new_session=True,
            cwd="/",
            env={name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
        )

    def _first_process(self, report: int) -> int:
        """Process id of what becomes process 1. Raises: SandboxDied."""
        with os.fdopen(report, "rb", buffering=0) as stream:
            poll = select.poll()
            poll.register(stream, select.POLLIN)
            said = stream.read(32) if poll.poll(START_S * 1000) else b""
        try:
            self._pidfd = os.pidfd_open(int(said))
        except (ValueError, ProcessLookupError):
            reason = self.why()
            self.remove()
            raise SandboxDied(reason) from None
        return int(said)

    def confine(self, group: Group) -> None:
        """Put process 1 under limits before it is told anything."""
        self.group = group
        group.add(self.pid)

    def begin(self, order: Mapping[str, Any]) -> None:
        """Let the process become process 1. Raises: OSError (it has gone)."""
        descriptor, self._order = self._order, -1
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(json.dumps(order).encode())

    def oom_kills(self) -> int:
        return self.group.oom_kills() if self.group else 0

    @property
    def over(self) -> bool:
        """It has ended, or its end was asked for: nobody will use it any more."""
        return not self._life or self._process.poll() is not None

    def kill(self) -> None:
        with contextlib.suppress(IndexError, OSError):
            descriptor = self._life.pop()  # one thread gets it
            with os.fdopen(descriptor, "wb", buffering=0) as stream:
                stream.write(b".")  # a process that the driver has forked may hold the pipe open

    def why(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        text = os.pread(self._errors, 8192, 0).decode(errors="replace").strip()
        code = self._process.returncode
        return text.splitlines()[-1] if text else f"its process 1 has gone (exit code {code} of its guard)"

    def remove(self) -> None:
        if self._removed:
            return
        self._removed = True
        self.kill()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.returncode != 0 and self._pidfd >= 0:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()
        for descriptor in (self._errors, self._order, self._pidfd):
            if descriptor >= 0:
                os.close(descriptor)
        self._turn.end()
