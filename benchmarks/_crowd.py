"""Many sandboxes at once: a thousand alive, and 64 that are stepped from a few threads."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from _measure import available_mib, descendants, pss_mib

from swesmith_gym.sandboxes.base import Sandbox, SandboxBackend, SandboxSpec, Shell

MAKERS = 2
"""Threads that make and close."""
STEPPED_S = 5.0
THREADS = (2, 4, 8)


def live(found: SandboxBackend, spec: SandboxSpec, number: int) -> dict[str, Any]:
    """So many alive at the same time, each with its session: made, measured, used, closed."""
    sandboxes: list[Sandbox] = []
    before = available_mib()
    began = time.perf_counter()

    def make(_: int) -> Sandbox:
        sandbox = found.start(spec)
        sandboxes.append(sandbox)
        sandbox.shell().run(":")
        return sandbox

    try:
        with ThreadPoolExecutor(MAKERS) as threads:
            list(threads.map(make, range(number)))
        made = time.perf_counter() - began
        taken = before - available_mib()
        sizes = [pss_mib(descendants(each._peer._process.pid)) for each in sandboxes]  # type: ignore[attr-defined]
        began = time.perf_counter()
        answers = [each.shell().run("echo $((6 * 7))").stdout for each in sandboxes]
        used = time.perf_counter() - began
    finally:
        began = time.perf_counter()
        with ThreadPoolExecutor(MAKERS) as threads:
            list(threads.map(lambda each: each.close(), sandboxes))
    return {
        "number": number,
        "made_s": round(made, 2),
        "each_ms": round(made / number * 1e3, 2),
        "pss_mib_each": round(statistics.mean(sizes), 2),
        "pss_mib_most": round(max(sizes), 2),
        "machine_mib_each": round(taken / number, 2),
        "answered": sum(answer == b"42\n" for answer in answers),
        "command_in_each_s": round(used, 2),
        "closed_s": round(time.perf_counter() - began, 2),
    }


def many_steps(found: SandboxBackend, spec: SandboxSpec, number: int) -> dict[str, Any]:
    """Steps a second over all sandboxes, by the number of threads and by what a step runs."""
    sandboxes = [found.start(spec) for _ in range(number)]
    try:
        shells = [each.shell() for each in sandboxes]
        for shell in shells:
            shell.run(":")
        rates = {
            name: {str(threads): rate([_stepper(each, command) for each in shells], threads) for threads in THREADS}
            for name, command in (("builtin", ":"), ("one program", "/bin/true"))
        }
    finally:
        for sandbox in sandboxes:
            sandbox.close()
    return {"environments": number, "steps_per_s_by_threads": rates}


def _stepper(shell: Shell, command: str) -> Callable[[], object]:
    return lambda: shell.run(command)


def rate(steps: Sequence[Callable[[], object]], threads: int, seconds: float = STEPPED_S) -> float:
    """Calls a second: each thread takes turns with a share of the steps of its own."""
    end = time.perf_counter() + seconds

    def work(mine: Sequence[Callable[[], object]]) -> int:
        done = 0
        while True:
            for step in mine:
                if time.perf_counter() >= end:
                    return done
                step()
                done += 1

    threads = min(threads, len(steps))
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(work, [steps[first::threads] for first in range(threads)]))
    return round(done / (time.perf_counter() - began), 1)
