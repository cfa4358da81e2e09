"""Process 1: answers the driver's requests, one at a time, and ends when the driver has gone.

It ends the whole process namespace with it. It cannot be inspected by the code that it runs: it is not dumpable.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # the public module imports enum
import errno
import os
import time

from . import files, memory, trees, wire
from .commands import Host, Run
from .processes import PR_SET_CHILD_SUBREAPER, PR_SET_DUMPABLE, Children, prctl
from .session import Session

TYPE_CHECKING = False  # importing typing would take half of the start-up time
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .relay import Relay

WORKDIR = "/testbed"


class Init:
    """Reads requests from one descriptor, writes answers to another."""

    def __init__(self, requests: int, answers: int) -> None:
        self.requests = requests
        self.answers = answers
        self.host = Host(Children(), requests, (requests, answers))
        self.session = Session(self.host, WORKDIR)
        self.handlers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "configure": self.configure,
            "ping": lambda _: {},
            "run": self.run,
            "shell": self.shell,
            "read": self.read,
            "apply": self.apply,
            "manifest": self.manifest,
            "read_link": self.read_link,
            "pack": self.pack,
            "unpack": self.unpack,
            "save": self.save,
            "load": self.load,
        }
        self.base = trees.Baseline(0)
        self.relay: Relay | None = None

    def serve(self) -> None:
        """Until the driver closes its end."""
        while True:
            self.host.children.reap()
            request = wire.loads(self._receive(wire.frame_length(self._receive(4))))
            try:
                answer = self.handlers[request["op"]](request)
            except OSError as error:
                number = error.errno or errno.EIO
                name = error.filename if isinstance(error.filename, (str, bytes)) else ""
                answer = {"error": [number, error.strerror or str(error), os.fsdecode(name)]}
            if answer is not None:
                self.send(answer)

    def send(self, value: Any) -> None:
        view = memoryview(wire.frame(value))
        try:
            while view:
                view = view[os.write(self.answers, view[: 1 << 20]) :]
        except BrokenPipeError:
            self.host.children.end()

    def _receive(self, size: int) -> bytes:
        """Exactly `size` bytes. Children that end meanwhile are reaped on the next request, or by the kernel."""
        parts = bytearray()
        while len(parts) < size:
            self._idle()
            piece = os.read(self.requests, min(size - len(parts), 1 << 20))
            if not piece:
                self.host.children.end()
            parts += piece
        return bytes(parts)

    def _idle(self) -> None:
        """Wait for the driver, reaping what ends meanwhile."""
        while self.requests not in self.host.wait([self.requests], [], float(1 << 30)):
            pass

    def configure(self, request: dict[str, Any]) -> dict[str, Any]:
        self.host.env = dict(request["env"])
        self.host.limits = dict(request["limits"])
        self.base = trees.Baseline(time.time_ns())
        if request["filter"]:
            from .confine import install  # loads ctypes

            install(request["filter"])
        if request["relay"]:
            from .relay import Relay  # few sandboxes need it

            path, port = request["relay"]
            self.relay = Relay(path, port, self.host.children)
        return {"ready": True, "pid": os.getpid()}

    def _way_out(self) -> None:
        """Where the package index can be reached, the relay to it runs."""
        if self.relay:
            self.relay.ensure()
            self.host.children.spared = self.relay.pid

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        self._way_out()
        before = memory.kills()
        answer = Run(self.host, request).result(self.session.pid)
        return dict(answer, oom_killed=memory.kills() > before)

    def shell(self, request: dict[str, Any]) -> dict[str, Any]:
        self._way_out()
        before = memory.kills()
        answer = self.session.run(request["command"], request["timeout_s"], request["output_bytes"])
        return dict(answer, oom_killed=memory.kills() > before)

    def read(self, request: dict[str, Any]) -> None:
        files.read_file(files.full_path(request["path"], WORKDIR), request["limit"], self.send)

    def apply(self, request: dict[str, Any]) -> dict[str, Any]:
        files.apply(request["changes"], WORKDIR)
        return {}

    def manifest(self, request: dict[str, Any]) -> dict[str, Any]:
        self.host.children.kill_all()
        self.session.forget()
        root = files.full_path(request["path"], WORKDIR)
        return {"entries": files.Manifest(root, request["max_files"]).walk()}

    def read_link(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"target": os.readlink(os.fsdecode(files.full_path(request["path"], WORKDIR)))}

    def pack(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"entries": trees.pack(request["path"], request["limit"])}

    def unpack(self, request: dict[str, Any]) -> dict[str, Any]:
        """A folder's content from the driver; that of the work tree is what the sandbox begins with."""
        trees.unpack(request["path"], request["entries"])
        if request["path"] == WORKDIR:
            self.base = trees.Baseline(time.time_ns(), trees.inodes(WORKDIR))
        return {}

    def save(self, request: dict[str, Any]) -> dict[str, Any]:
        left, found = request["limit"], {}
        for path in request["folders"]:
            found[path] = trees.pack(path, left, self.base if path == WORKDIR else None)
            left -= sum(len(entry[3] or b"") for entry in found[path])
        folder, env = self.session.state()
        return {"files": found, "folder": folder, "env": env}

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        self.host.children.kill_all()
        self.session.forget()
        for path, entries in request["files"].items():
            trees.unpack(path, entries)
        self.session.begin(request["folder"], request["env"])
        return {}


def main() -> None:
    """Take standard input and output for the driver's connection and serve."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # process 1 is not reached by signals that it does not handle
    os.umask(0o022)
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open("/dev/null", os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    Init(requests, answers).serve()
