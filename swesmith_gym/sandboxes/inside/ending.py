"""Ending every process below a sandbox's keeper (`inside.listen`), and the place itself where it was made for it alone.

Of a place only what belongs to its server is ended: it need not have a process namespace of its own.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # the public module imports enum
import os
import select
import time

from .processes import Children

ENDING_S = 10.0


def end_all() -> None:
    """Every process below us ends, and is waited for: one that nobody waits for would count as its user's for good."""
    children = Children()
    children.sweep(0)
    deadline = time.monotonic() + ENDING_S
    while children.reap() and time.monotonic() < deadline:
        select.select([children.wakeup], [], [], 0.1)


def parent(pid: int) -> int:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[1])


def end_place(server: int, above: int) -> None:
    """The server, and what the shell above it starts in its place, until that shell, and we with it, have ended."""
    deadline = time.monotonic() + ENDING_S
    victims, number = [server], signal.SIGTERM
    while victims and time.monotonic() < deadline:
        for each in victims:
            try:
                os.kill(each, number)
            except OSError:
                continue  # has ended by itself
        select.select([], [], [], 0.05)
        victims, number = (_children(above) if above else [server]), signal.SIGKILL


def _children(above: int) -> list[int]:
    found = []
    for each in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            if parent(each) == above and each != os.getpid():
                found.append(each)
        except OSError:
            continue  # has ended by itself
    return found
