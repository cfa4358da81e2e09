"""How long a sandbox takes: start, the first and a later command, a step of the session, files, close, many at once.

    python benchmarks/sandbox.py [--rounds N] [--live N] [--sandbox NAME] > sandbox.json

Times are medians and smallest values in milliseconds, sizes in MiB. Another load on the machine moves the medians:
compare ratios within one run, and the smallest values between runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from swesmith_gym.sandboxes.base import Sandbox, SandboxBackend, SandboxSpec
from swesmith_gym.sandboxes.registry import backend


class Times:
    """Samples by name, in seconds."""

    def __init__(self) -> None:
        self.samples: dict[str, list[float]] = {}

    def take(self, name: str, act: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = act()
        self.samples.setdefault(name, []).append(time.perf_counter() - began)
        return result

    def summary(self) -> dict[str, dict[str, float]]:
        return {
            name: {"p50_ms": round(statistics.median(found) * 1e3, 3), "min_ms": round(min(found) * 1e3, 3)}
            for name, found in self.samples.items()
        }


def play(times: Times, found: SandboxBackend, spec: SandboxSpec) -> None:
    """One sandbox from start to close."""
    sandbox: Sandbox = times.take("start", lambda: found.start(spec))
    times.take("run, fresh bash", lambda: sandbox.run(":"))
    shell = sandbox.shell()
    times.take("session's first step", lambda: shell.run(":"))
    for _ in range(20):
        times.take("step, builtin", lambda: shell.run(":"))
        times.take("step, one program", lambda: shell.run("/bin/true"))
    times.take("read a file", lambda: sandbox.read_file("file0"))
    times.take("manifest of 100 files", sandbox.manifest)
    times.take("close", sandbox.close)


def memory_of(pid: int) -> float:
    """Proportional set size of a process and of its children, in MiB."""
    sizes = 0
    for one in [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]:
        lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        sizes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return sizes / 1024


def live(found: SandboxBackend, spec: SandboxSpec, number: int) -> dict[str, float]:
    """Many at once, each with its session: how long they take to make, and the memory of one."""
    began = time.perf_counter()
    sandboxes = [found.start(spec) for _ in range(number)]
    for sandbox in sandboxes:
        sandbox.shell().run(":")
    made = time.perf_counter() - began
    sizes = [memory_of(sandbox._peer.pid) for sandbox in sandboxes]  # type: ignore[attr-defined]
    for sandbox in sandboxes:
        sandbox.close()
    return {"number": number, "made_s": round(made, 2), "each_mib": round(statistics.mean(sizes), 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a sandbox backend; JSON on standard output.")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--live", type=int, default=50)
    parser.add_argument("--sandbox", default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SWESMITH_GYM_HOME"] = str(Path(folder) / "state")
        found = backend(options.sandbox)
        tree = Path(folder) / "tree"
        tree.mkdir()
        for number in range(100):
            (tree / f"file{number}").write_text(f"{number}\n" * 100)
        found.own(tree)
        spec = SandboxSpec(tree=tree)
        found.start(spec).close()
        times = Times()
        for _ in range(options.rounds):
            play(times, found, spec)
        result = {
            "sandbox": found.name,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, kernel {platform.release()}",
            "user": "root" if os.geteuid() == 0 else "ordinary",
            "times": times.summary(),
            "live": live(found, spec, options.live) if options.live else None,
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
