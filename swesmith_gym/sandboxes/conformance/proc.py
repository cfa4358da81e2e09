"""What the host's `/proc` says of processes, read by the suite alone: nothing here starts, stops or judges anything."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
GROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the host. Id and start time together belong to no other."""

    pid: int
    started: int
    """In ticks since the host's start."""
    parent: int
    name: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.name})"


def processes() -> list[Process]:
    """All that can be seen, those that have ended and are not waited for included."""
    found = []
    for path in PROC.iterdir():
        if path.name.isdigit():
            try:
                head, _, rest = (path / "stat").read_text(errors="replace").rpartition(")")
            except OSError:
                continue  # has ended meanwhile
            fields = rest.split()
            found.append(Process(int(path.name), int(fields[19]), int(fields[1]), head.partition("(")[2]))
    return found


def below(ancestor: int, known: Iterable[Process]) -> set[Process]:
    """Children of a process, their children, and so on."""
    children: dict[int, list[Process]] = {}
    for each in known:
        children.setdefault(each.parent, []).append(each)
    found: set[Process] = set()
    pending = [ancestor]
    while pending:
        fresh = set(children.get(pending.pop(), ())) - found
        found |= fresh
        pending += [each.pid for each in fresh]
    return found


def environment(pid: int) -> bytes | None:
    """None: it may not be read."""
    try:
        return (PROC / str(pid) / "environ").read_bytes()
    except PermissionError:
        return None
    except OSError:
        return b""


def namespace(pid: int | str) -> str:
    """Of process ids, as `/proc` names it; empty where it cannot be known."""
    try:
        return os.readlink(PROC / str(pid) / "ns/pid")
    except OSError:
        return ""


def users(pid: int) -> set[int]:
    """Real, effective, saved and file system user."""
    try:
        lines = (PROC / str(pid) / "status").read_text(errors="replace").splitlines()
    except OSError:
        return set()
    return {int(number) for line in lines if line.startswith("Uid:") for number in line.split()[1:]}


def groups(pid: int | str) -> set[Path]:
    """Folders of the control groups that it is in, as far as this host shows them; the topmost ones are nobody's."""
    try:
        lines = (PROC / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return set()
    found = set()
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if path != "/" and ".." not in path.split("/"):
            folder = GROUPS / controllers.removeprefix("name=") / path.lstrip("/")
            found |= {folder} if folder.is_dir() else set()
    return found


def descriptors() -> dict[int, str]:
    """This process's own: number -> what it leads to."""
    found = {}
    for name in os.listdir(PROC / "self/fd"):
        try:
            found[int(name)] = os.readlink(PROC / "self/fd" / name)
        except OSError:
            continue  # the listing's own
    return found


def mounts() -> list[str]:
    """Lines of this process's mount namespace, without the numbers that others' mounts change."""
    return [line.split(" ", 2)[2] for line in (PROC / "self/mountinfo").read_text().splitlines()]
