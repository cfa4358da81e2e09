"""Samples, the machine, memory and disk: what the benchmarks of this folder share. Not a benchmark."""

from __future__ import annotations

import math
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from swesmith_gym.home import home

T = TypeVar("T")


class Times:
    """Samples by name, in seconds."""

    def __init__(self) -> None:
        self.samples: dict[str, list[float]] = {}

    def take(self, name: str, act: Callable[[], T]) -> T:
        """Call, and note how long it took."""
        began = time.perf_counter()
        result = act()
        self.add(name, time.perf_counter() - began)
        return result

    def add(self, name: str, seconds: float) -> None:
        self.samples.setdefault(name, []).append(seconds)

    def summary(self) -> dict[str, dict[str, float]]:
        """Name -> median, 95th percentile and smallest value in milliseconds, and how many samples there are."""
        return {name: spread(found) for name, found in self.samples.items()}


def spread(samples: list[float]) -> dict[str, float]:
    """Of times in seconds, in milliseconds."""
    ordered = sorted(samples)
    last = ordered[math.ceil(0.95 * len(ordered)) - 1]
    values = {"p50_ms": statistics.median(ordered), "p95_ms": last, "min_ms": ordered[0]}
    return {**{name: round(value * 1e3, 3) for name, value in values.items()}, "samples": len(ordered)}


def machine() -> dict[str, Any]:
    """Facts that figures depend on; nothing that names the machine."""
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    return {
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory.split()[1]) / 2**20, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "user": "root" if os.geteuid() == 0 else "ordinary",
        "docker": _docker_version(),
    }


def _docker_version() -> str | None:
    from swesmith_gym.errors import SandboxError
    from swesmith_gym.sandboxes.docker.engine import engine

    try:
        info = engine().info
    except SandboxError:
        return None
    return f"{info['ServerVersion']} ({info['Driver']}, cgroup v{info.get('CgroupVersion', '1')})"


def load() -> list[float]:
    """Load averages over 1, 5 and 15 minutes: what is above the number of cores waits."""
    return [round(value, 2) for value in os.getloadavg()]


def busy(since: tuple[float, float] | None = None) -> Any:
    """Without an argument a mark; with one, the share of the machine's CPU time that was used since, in percent."""
    numbers = [float(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    total, idle = sum(numbers), numbers[3] + numbers[4]
    if since is None:
        return total, idle
    passed = max(total - since[0], 1.0)
    return round(100 * (1 - (idle - since[1]) / passed))


@contextmanager
def fresh_state() -> Iterator[Path]:
    """A state folder that holds nothing but the portable root file systems of the one in use."""
    roots = (home() / "roots").resolve()
    before = os.environ.get("SWESMITH_GYM_HOME")
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        state = Path(folder) / "state"
        state.mkdir()
        if roots.is_dir():
            (state / "roots").symlink_to(roots)
        os.environ["SWESMITH_GYM_HOME"] = str(state)
        try:
            yield Path(folder)
        finally:
            os.environ.pop("SWESMITH_GYM_HOME")
            if before is not None:
                os.environ["SWESMITH_GYM_HOME"] = before


def sample_tree(folder: Path, files: int = 300) -> Path:
    """A work tree like that of a small library: 300 files of 2 KB in 15 packages."""
    for number in range(files):
        path = folder / f"package{number % 15}" / f"module{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"VALUE = {number}\n" * 130)
    return folder


def descendants(pid: int) -> list[int]:
    """A process and all below it that are alive."""
    found = [pid]
    for one in found:
        try:
            found += map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split())
        except OSError:
            continue
    return found


def pss_mib(pids: Iterable[int]) -> float:
    """Proportional set size together: a page that n processes share counts 1/n for each."""
    kib = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        kib += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kib / 1024


def rss_mib() -> float:
    """Of this process, now."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def available_mib() -> float:
    """Memory of the machine that could still be used."""
    text = Path("/proc/meminfo").read_text()
    return int(text.split("MemAvailable:")[1].split()[0]) / 1024


def disk_bytes(*places: Path) -> int:
    """Space on disk of folders together. A file with several names counts once; links are not followed."""
    seen: set[tuple[int, int]] = set()
    total = 0
    waiting = list(places)
    while waiting:
        path = waiting.pop()
        found = path.lstat()
        if (found.st_dev, found.st_ino) in seen:
            continue
        seen.add((found.st_dev, found.st_ino))
        total += found.st_blocks * 512
        if path.is_dir() and not path.is_symlink():
            waiting += path.iterdir()
    return total
