"""The fourth assertion: after `close` nothing is left over on the host.

Others use the machine at the same time, so only this counts: processes that hold the sandbox's token in their
environment, share its namespace or descend from this process, processes of its user that cannot be looked into, this
process's mounts and descriptors, its entries in the state folder and in a temporary folder of its own, the sandbox's
control groups, and what the backend itself says. Not seen: what a backend does on another machine and does not tell.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from swesmith_gym.home import home
from swesmith_gym.sandboxes.base import SandboxBackend
from swesmith_gym.sandboxes.conformance import proc

SETTLE_S = 5.0
"""How long the kernel may take to take processes apart after a close, in seconds."""
_ENGINES = ("/docker/", "/containerd/", "/containers/", "/netns/")
"""Mounts of container engines come and go with other people's containers; a backend on one tells by `leftovers`."""


@contextmanager
def temporary_folder(folder: Path) -> Iterator[Path]:
    """Let this process make its temporary files there: in the system's folder others make theirs."""
    before, default = os.environ.get("TMPDIR"), tempfile.tempdir
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = default
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before


@dataclass(frozen=True, slots=True)
class _State:
    below: set[proc.Process]
    closed: set[proc.Process]
    """Processes whose environment may not be read."""
    mounts: Counter[str]
    files: set[Path]
    descriptors: dict[int, str]
    told: list[str]


class Traces:
    """Noted when it is made, compared by `left`. `folder` holds the process's temporary files meanwhile."""

    def __init__(self, backend: SandboxBackend, token: str, folder: Path) -> None:
        self._backend = backend
        self._token = token.encode()
        self._folder = folder
        self._pins: list[int] = []
        self._namespaces: set[str] = set()
        self._users: set[int] = set()
        self._groups: set[Path] = set()
        self._before = self._state()

    @property
    def users(self) -> set[int]:
        """Users of the host that processes inside belong to; empty where the host does not show them."""
        return self._users

    def see(self, namespace: str, user: int) -> None:
        """Note where a sandbox lives, by what a process inside says of itself, while it is alive."""
        if namespace == proc.namespace("self"):
            self._users.add(user)
            return
        for each in proc.processes():
            if proc.namespace(each.pid) == namespace:
                if namespace not in self._namespaces:  # held open, so that its number is given to no other
                    self._pins.append(os.open(f"/proc/{each.pid}/ns/pid", os.O_RDONLY | os.O_CLOEXEC))
                    self._namespaces.add(namespace)
                self._users |= proc.users(each.pid)
                self._groups |= proc.groups(each.pid) - proc.groups("self")

    def alive(self) -> set[proc.Process]:
        """Processes of the sandboxes seen so far."""
        return {each for each in proc.processes() if self._ours(each)}

    def _ours(self, each: proc.Process) -> bool:
        return self._token in (proc.environment(each.pid) or b"") or proc.namespace(each.pid) in self._namespaces

    def left(self) -> list[str]:
        """What is there that was not there before; empty: nothing. Ends what the notes hold on to."""
        deadline = time.monotonic() + SETTLE_S
        while (found := self._compare()) and time.monotonic() < deadline:
            time.sleep(0.02)  # there is no event to wait for: a folder of `/proc` that goes away tells nobody
        while self._pins:
            os.close(self._pins.pop())
        return found

    def _compare(self) -> list[str]:
        before, now = self._before, self._state()
        closed = {each for each in now.closed - before.closed if proc.users(each.pid) & self._users}
        found = sorted(map(str, self.alive() | (now.below - before.below) | closed))
        found += [f"mount {line.split(' ')[2]}" for line in sorted((now.mounts - before.mounts).elements())]
        found += [f"file {path}" for path in sorted(now.files - before.files)]
        found += [f"control group {path}" for path in sorted(self._groups) if path.is_dir()]
        more = _kinds(now.descriptors) - _kinds(before.descriptors) - Counter({"pid": len(self._pins)})
        fresh = {target for number, target in now.descriptors.items() if before.descriptors.get(number) != target}
        if more:
            found.append(f"{more.total()} descriptors of this process, among {', '.join(sorted(fresh)[:6])}")
        return found + [text for text in now.told if text not in before.told]

    def _state(self) -> _State:
        known = proc.processes()
        mounts = Counter(line for line in proc.mounts() if not any(mark in line for mark in _ENGINES))
        return _State(
            below=proc.below(os.getpid(), known),
            closed={each for each in known if proc.environment(each.pid) is None},
            mounts=mounts,
            files={*self._folder.iterdir(), *_own_runs()},
            descriptors=proc.descriptors(),
            told=self._backend.leftovers(),
        )


def _kinds(descriptors: dict[int, str]) -> Counter[str]:
    """How many there are of each kind. Those of one kind may take each other's place (a connection that was made
    anew); a pipe that others close meanwhile must not hide a file that is left open."""
    return Counter(target.partition(":[")[0] for target in descriptors.values())


def _own_runs() -> Iterator[Path]:
    """Entries of the state folder for sandboxes, without those that another process has claimed."""
    for folder in (home() / "run").glob("*"):
        try:
            owner = (folder / "owner").read_text().partition(" ")[0]
        except OSError:
            owner = ""
        if owner in ("", str(os.getpid())):
            yield folder
