"""Processes that a run leaves behind: adopted, found, ended."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal

_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Whatever loses its parent below this process becomes its child. Raises: OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")


def forked_twice() -> bool:
    """In a fork whose parent has ended, so that the first process is not its parent: it never waits for it."""
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        return False
    if os.fork():
        os._exit(0)
    return True


def kill(pid: int) -> None:
    """Kill a process that may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def end(pid: int) -> None:
    """Kill a child and wait for it."""
    kill(pid)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def sweep(spared: frozenset[int]) -> None:
    """End all children but the spared ones, and theirs, which become children by that."""
    while True:
        strays = [pid for pid in _children() if pid not in spared]
        if not strays:
            return
        for pid in strays:
            end(pid)


def _children() -> list[int]:
    own = os.getpid()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue
            if parent == own:
                found.append(int(name))
    return found
