"""The kernel's count of processes killed because the sandbox's memory was used up, where it is shown inside."""

from __future__ import annotations

FILES = ("/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events")
"""Of control groups version 1 and 2. A container sees its own; without them the driver counts."""


def kills() -> int:
    """How many so far; 0 where it is not known."""
    for path in FILES:
        try:
            with open(path, "rb") as file:
                lines = file.read().splitlines()
        except OSError:
            continue
        return sum(int(line.split()[1]) for line in lines if line.startswith(b"oom_kill "))
    return 0
