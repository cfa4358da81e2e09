"""Wall-clock and CPU time of a job's phases, kept in a file: a job that was resumed counts whole."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from swesmith_gym.home import read_object, write_atomic


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds that each phase has taken so far, of all runs."""

    path: Path

    @contextmanager
    def on(self, phase: str) -> Iterator[None]:
        """Adds what passes inside, when it ends and when it is broken off. One phase at a time in a process.

        CPU time is the whole machine's, so that a daemon's sandboxes and processes that were killed are in it: nothing
        else should run.
        """
        began, cpu = time.monotonic(), machine_cpu_s()
        try:
            yield
        finally:
            before = self.read()
            wall_s, cpu_s = before.get(phase, (0.0, 0.0))
            now = (round(wall_s + time.monotonic() - began, 1), round(cpu_s + machine_cpu_s() - cpu, 1))
            write_atomic(self.path, json.dumps({**before, phase: now}, indent=1) + "\n")

    def read(self) -> dict[str, tuple[float, float]]:
        """Phase -> wall-clock and CPU seconds; what is not readable counts as nothing."""
        try:
            return {phase: (float(wall_s), float(cpu_s)) for phase, (wall_s, cpu_s) in read_object(self.path).items()}
        except (ValueError, TypeError):
            return {}


def machine_cpu_s() -> float:
    """What all processors have worked since the machine began, in seconds."""
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq")
    times = dict(zip(names, Path("/proc/stat").read_text("ascii").split()[1:], strict=False))
    busy = sum(int(time) for name, time in times.items() if name not in ("idle", "iowait"))
    return busy / os.sysconf("SC_CLK_TCK")
