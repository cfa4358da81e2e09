"""Memory and process limits over a whole sandbox, where the host grants control groups.

Version 1: the `memory` and `pids` hierarchies, as root. Version 2: as root, or below a delegated group. A group
is made before process 1 is told anything and removed after the sandbox has ended.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
NAME = "swesmith-gym"


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Where groups can be made on this host."""

    version: int
    memory: Path
    pids: Path


class Group:
    """The control groups of one sandbox. `close` removes them; the processes in them must have ended."""

    def __init__(self, hierarchy: Hierarchy, name: str, memory_bytes: int, processes: int) -> None:
        self._hierarchy = hierarchy
        self._memory = hierarchy.memory / name
        self._pids = hierarchy.pids / name
        self._folders = [self._memory] if self._memory == self._pids else [self._memory, self._pids]
        try:
            self._make(memory_bytes, processes)
        except OSError:
            self.close()
            raise

    def _make(self, memory_bytes: int, processes: int) -> None:
        for folder in self._folders:
            folder.mkdir(parents=True)
        first = self._hierarchy.version == 1
        _write(self._memory / ("memory.limit_in_bytes" if first else "memory.max"), memory_bytes)
        _try_write(self._memory / ("memory.memsw.limit_in_bytes" if first else "memory.swap.max"), first * memory_bytes)
        _write(self._pids / "pids.max", processes)

    def add(self, pid: int) -> None:
        """Move a process in; what it starts from now on is born inside. Raises: OSError."""
        for folder in self._folders:
            _write(folder / "cgroup.procs", pid)

    def oom_kills(self) -> int:
        """Processes that the kernel has killed in this group because its memory was used up."""
        file = "memory.oom_control" if self._hierarchy.version == 1 else "memory.events"
        try:
            lines = (self._memory / file).read_text().splitlines()
        except OSError:
            return 0
        return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    def close(self) -> None:
        """Remove the groups. Processes that are still being taken apart delay it for up to two seconds."""
        for folder in self._folders:
            _retry(folder.rmdir)


def hierarchy() -> Hierarchy | None:
    """Where this process may make groups with both limits, or None."""
    return _hierarchy(os.geteuid())


@cache
def _hierarchy(user: int) -> Hierarchy | None:
    if (ROOT / "memory").is_dir() and (ROOT / "pids").is_dir():
        return _usable(Hierarchy(1, ROOT / "memory" / NAME, ROOT / "pids" / NAME))
    if not (ROOT / "cgroup.controllers").is_file():
        return None
    parent = (ROOT if user == 0 else _own_group()) / NAME
    _enable(parent.parent)
    found = _usable(Hierarchy(2, parent, parent))
    if found:
        _enable(parent)
    return found if found and (parent / "cgroup.subtree_control").read_text().split().count("memory") else None


def _own_group() -> Path:
    """The group above the one this process is in: a delegated one where systemd gave us a scope."""
    line = Path("/proc/self/cgroup").read_text().strip().rpartition("::")[2]
    return (ROOT / line.lstrip("/")).parent


def _enable(folder: Path) -> None:
    _try_write(folder / "cgroup.subtree_control", "+memory +pids")


def _usable(found: Hierarchy) -> Hierarchy | None:
    try:
        for folder in {found.memory, found.pids}:
            folder.mkdir(exist_ok=True)
            if not os.access(folder, os.W_OK):
                return None
    except OSError:
        return None
    return found


def remove_stale(name: str) -> None:
    """Remove the groups of a sandbox whose driver has died."""
    found = hierarchy()
    if found:
        for folder in {found.memory / name, found.pids / name}:
            if folder.is_dir():
                _retry(folder.rmdir)


def _write(path: Path, value: int | str) -> None:
    path.write_text(str(value))


def _try_write(path: Path, value: int | str) -> None:
    try:
        path.write_text(str(value))
    except OSError:
        return  # without this file (no swap accounting, a controller that is not there) the limit is weaker, not absent


def _retry(act: Callable[[], None], limit_s: float = 2.0) -> None:
    deadline = time.monotonic() + limit_s
    while True:
        try:
            return act()
        except FileNotFoundError:
            return None
        except OSError:
            if time.monotonic() > deadline:
                return None
            time.sleep(0.002)
