"""A campaign: thousands of sandboxes made and closed, and nothing left of them, on the host or in the driver's memory.

    python benchmarks/leaks.py --out campaigns/leaks.json    # 10,000 on bubblewrap, 500 on Docker
    python benchmarks/leaks.py                               # a short one, 200 and 40, to standard output

Between batches, when all sandboxes are closed, what can be left is counted: `_traces.Traces` says what. The exit code
is 1 if more is there at the end than before the first batch, if anything is there that must be gone, or if the memory
of the driver grew by more than 5 MiB over the last half. With `--out`, samples are kept beside the output as they come:
the same command goes on after the last of them, in a new process, whose memory is compared with its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from _lifecycle import usable, variants
from _measure import load, machine, sample_tree
from _traces import COUNTS, groups_of, sample, temporary_files_in

from swesmith_gym.home import home, write_atomic
from swesmith_gym.sandboxes import warm
from swesmith_gym.sandboxes.base import SandboxBackend, SandboxSpec

THREADS = 4
WARM_UP = 2
"""Sandboxes before the first sample: they fill caches, and a pool."""
READY_S = 30.0
GROWTH_MIB = 5.0
"""That the driver's memory may grow by over the last half."""
MUST_BE_GONE = ("groups", "containers", "volumes")
SETTLING = ("descriptors", "threads")
"""What connections to a daemon have more of after a while: compared with the sample after the first batch."""


@dataclass(frozen=True)
class Plan:
    """One backend's part: how many sandboxes, and how many between two samples."""

    backend: str
    number: int
    batch: int


WHOLE = (Plan("bubblewrap", 10_000, 500), Plan("docker", 500, 50))
SHORT = (Plan("bubblewrap", 200, 50), Plan("docker", 40, 20))


@dataclass(frozen=True)
class Place:
    """Where the samples of a campaign are kept until it ends."""

    progress: Path

    def samples(self, backend: str) -> list[dict[str, Any]]:
        if not self.progress.exists():
            return []
        return [one for one in map(json.loads, self.progress.read_text().splitlines()) if one["backend"] == backend]

    def add(self, one: dict[str, Any]) -> None:
        with self.progress.open("a") as file:
            file.write(json.dumps(one) + "\n")


def say(text: str) -> None:
    """Progress, on standard error."""
    print(f"leaks: {text}", file=sys.stderr, flush=True)


def main() -> int:
    options = _options()
    plans = WHOLE if options.out else SHORT
    results: dict[str, Any] = {"machine": machine(), "threads": THREADS, "campaigns": {}}
    with _place(options.out) as place:
        working, skipped = usable()
        found = {each.name: each for each in working}
        for plan in plans:
            if options.only not in (None, plan.backend):
                continue
            if plan.backend in skipped:
                say(f"{plan.backend} is left out: {skipped[plan.backend]}")
            else:
                results["campaigns"][plan.backend] = _campaign(plan, found[plan.backend], place)
    results["ok"] = bool(results["campaigns"]) and not any(each["wrong"] for each in results["campaigns"].values())
    text = json.dumps(results, indent=1) + "\n"
    if options.out:
        write_atomic(options.out, text)
    print(text, end="")
    return 0 if results["ok"] else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="where the evidence goes; without it the campaign is a short one")
    parser.add_argument("--only", choices=[plan.backend for plan in WHOLE], help="one backend; else all that work here")
    return parser.parse_args()


@contextmanager
def _place(out: Path | None) -> Iterator[Place]:
    """A state folder of the campaign's own, with a folder for temporary files in it; both stay if it is broken off."""
    roots = (home() / "roots").resolve()
    folder = (out.parent if out else Path(tempfile.mkdtemp(prefix="leaks-"))).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / f"{out.stem if out else 'leaks'}.state"
    place = Place(state.with_suffix(".progress.jsonl"))
    state.mkdir(exist_ok=True)
    if roots.is_dir() and not (state / "roots").is_symlink():
        (state / "roots").symlink_to(roots)
    os.environ["SWESMITH_GYM_HOME"] = str(state)
    temporary_files_in(state / "tmp")
    yield place
    shutil.rmtree(folder if out is None else state)
    place.progress.unlink(missing_ok=True)


def _campaign(plan: Plan, backend: SandboxBackend, place: Place) -> dict[str, Any]:
    tree = home() / f"tree-{plan.backend}"
    if not tree.is_dir():
        backend.own(sample_tree(tree))
    spec = SandboxSpec(tree=tree, root_fs=backend.root_fs())
    known = place.samples(plan.backend)
    made = known[-1]["made"] if known else -WARM_UP
    process = len({one["process"] for one in known})
    settle = variants(backend)[-1].settle
    while made < plan.number:
        number = WARM_UP if made < 0 else min(plan.batch, plan.number - made)
        began = time.perf_counter()
        groups = _batch(backend, spec, number)
        took = time.perf_counter() - began
        made += number
        settle()
        traces = asdict(sample(backend, groups, _pooled(backend, close=made >= plan.number)))
        place.add({"backend": plan.backend, "made": made, "process": process, "seconds": round(took, 1), **traces})
        say(f"{plan.backend}: {made} of {plan.number}, {took / number * 1e3:.0f} ms each, {traces}, load {load()[0]}")
    samples = place.samples(plan.backend)
    return {"made": made, "wrong": _wrong(samples), "growth_mib": _growth(samples), "samples": samples}


def _batch(backend: SandboxBackend, spec: SandboxSpec, number: int) -> set[Path]:
    """So many sandboxes, a command in each, a few at once. Gives the folders of their control groups."""
    groups: set[Path] = set()

    def one(place: int) -> None:
        with backend.start(spec) as sandbox:
            groups.update(groups_of(sandbox))
            run = sandbox.run if place % 2 else sandbox.shell().run
            answer = run("echo $((6 * 7)) > /tmp/answer; cat /tmp/answer").stdout
            if answer != b"42\n":
                raise RuntimeError(f"a sandbox answered {answer!r}")

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(one, range(number)))
    return groups


def _pooled(backend: SandboxBackend, *, close: bool) -> int:
    """Sandboxes that wait for their episode; none of them is left at the end. One that is in the making has time to
    become ready."""
    pool = warm.pool(backend.name, warm.each())
    if close:
        pool.close()
    pool.settle(READY_S)
    return len(pool)


def _wrong(samples: list[dict[str, Any]]) -> list[str]:
    """What the samples show that must not be; empty: nothing."""
    found = [f"{name}: {one[name]} after {one['made']}" for name in MUST_BE_GONE for one in samples if one[name]]
    for name in COUNTS:
        first, last = samples[name in SETTLING][name], samples[-1][name]
        if last > first:
            found.append(f"{name}: {first} at first, {last} at last")
    grown = _growth(samples)
    return [*found, f"memory: {grown} MiB more over the last half"] if grown > GROWTH_MIB else found


def _growth(samples: list[dict[str, Any]]) -> float:
    """Of the driver's memory over the last half of the samples; each process is compared with itself."""
    half = samples[len(samples) // 2 :]
    sizes = [[one["rss_mib"] for one in half if one["process"] == process] for process in {o["process"] for o in half}]
    return round(max(size[-1] - size[0] for size in sizes), 2)


if __name__ == "__main__":
    sys.exit(main())
