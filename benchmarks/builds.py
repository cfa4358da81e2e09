"""A campaign: packages that nobody has looked at are added, built and validated without a hint.

    python benchmarks/builds.py --out campaigns/builds.json       # the 40 that the seed draws; goes on where it stopped
    python benchmarks/builds.py --out campaigns/builds.json --ship  # those built become profiles of the package
    python benchmarks/builds.py --only mistune semver             # some packages, to standard output
    python benchmarks/builds.py                                   # the first one of the draw

The list is `packages.txt`. Each package drawn goes the way of a user: `repos add pypi:NAME==VERSION`, `repos build`,
and a few procedural candidates through validation; it counts as built when its suite passes as a baseline and at least
one candidate becomes a task. What was tried once is not tried again, unless `--again` says so. `--draw` only writes
which packages they are. The profiles and locks are in the state folder.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from _candidates import candidates
from _measure import machine

from swesmith_gym import sandboxes
from swesmith_gym.errors import SweSmithGymError
from swesmith_gym.executors import LocalExecutor, SerialExecutor
from swesmith_gym.harness.runs import FullRuns
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.validate import ValidationSettings, validate_all
from swesmith_gym.home import write_atomic
from swesmith_gym.records import RejectedCandidate
from swesmith_gym.repos import profiles
from swesmith_gym.repos.add import add
from swesmith_gym.repos.build import build
from swesmith_gym.repos.resolve import built
from swesmith_gym.sandboxes.base import SandboxBackend

LIST = Path(__file__).with_name("packages.txt")
STAMP = "2026-01-01T00:00:00Z"
Row = dict[str, Any]


def say(text: str) -> None:
    """Progress, on standard error."""
    print(f"builds: {text}", file=sys.stderr, flush=True)


def listed() -> list[str]:
    """`NAME==VERSION` of every package of the list."""
    return [line for line in LIST.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def drawn(number: int, seed: int) -> list[str]:
    """So many of the list, in the order that they are tried."""
    return random.Random(f"builds:{seed}").sample(listed(), number)


def attempt(requirement: str, backend: SandboxBackend, candidates: int) -> Row:
    """Add, build and validate one package."""
    began = time.monotonic()
    row: Row = {"package": requirement, "state": "failed"}
    try:
        profile = add(f"pypi:{requirement}")
        build(profile, backend, progress=lambda step: say(f"{requirement}: {step}"))
        testbed = built(profile.name, backend)
        row |= _facts(testbed) | _validated(testbed, candidates)
        row["state"] = "built" if row["tasks"] else "failed"
        if not row["tasks"]:
            row |= {"step": "validate", "cause": f"none of {row['candidates']} candidates became a task"}
    except SweSmithGymError as error:
        row |= {"step": getattr(error, "step", ""), "cause": str(error).split("; log: ")[0]}
    return {**row, "seconds": round(time.monotonic() - began, 1)}


def _facts(testbed: Testbed) -> Row:
    image = testbed.image
    return {
        "python": image.interpreter_version,
        "license": image.license,
        "tests": len(image.baseline),
        "passing": len(testbed.passing),
        "quarantined": dict(sorted(Counter(image.quarantined.values()).items())),
        "suite_s": image.suite_s,
    }


def _validated(testbed: Testbed, number: int) -> Row:
    given = candidates(testbed, number, 0)
    settings = ValidationSettings(STAMP, reruns=1)
    results = [result for _, result in validate_all(given, FullRuns(testbed), SerialExecutor(), settings)]
    reasons = Counter(each.reason for each in results if isinstance(each, RejectedCandidate))
    return {"candidates": len(given), "tasks": len(given) - reasons.total(), "rejected": dict(sorted(reasons.items()))}


def evidence(rows: Sequence[Row], options: argparse.Namespace) -> dict[str, Any]:
    """What is known so far."""
    number = sum(row["state"] == "built" for row in rows)
    causes = Counter(row["step"] for row in rows if row["state"] == "failed")
    return {
        "machine": machine(),
        "listed": len(listed()),
        "drawn": len(rows),
        "seed": options.seed,
        "built": number,
        "failed_at": dict(sorted(causes.items())),
        "complete": all(row["state"] != "untried" for row in rows),
        "rows": rows,
    }


def try_all(rows: list[Row], options: argparse.Namespace) -> None:
    """Fill in the rows that are still to be tried."""
    backend = sandboxes.backend(options.sandbox)
    wanted = ("untried", "failed") if options.again else ("untried",)
    todo = [place for place, row in enumerate(rows) if row["state"] in wanted]

    def one(place: int) -> Row:
        return attempt(rows[place]["package"], backend, options.candidates)

    for done in LocalExecutor(options.workers).map(one, todo):
        rows[todo[done.index]] = done.value
        say(json.dumps(done.value))
        if options.out:
            write_atomic(options.out, json.dumps(evidence(rows, options), indent=1) + "\n")


def ship(rows: Sequence[Row]) -> None:
    """Profile and lock of every package built, from the state folder to those that come with the package."""
    for name in sorted(row["package"].partition("==")[0] for row in rows if row["state"] == "built"):
        into = profiles.shipped_folder() / f"{name}.toml"
        if not into.exists():
            lock = profiles.lock(name)
            write_atomic(into, profiles.render(replace(profiles.load(name), approved=True)))
            write_atomic(into.with_suffix(".lock"), lock)
            say(f"{name} is shipped")


def main() -> int:
    """Exit code 1: fewer than 80 % were built."""
    options = _options()
    chosen = [each for each in listed() if each.partition("==")[0] in options.only] if options.only else None
    rows = [{"package": each, "state": "untried"} for each in chosen or drawn(options.number, options.seed)]
    if options.out and options.out.exists():
        kept = {row["package"]: row for row in json.loads(options.out.read_text("utf-8"))["rows"]}
        rows = [kept.get(row["package"], row) for row in rows]
    if not (options.draw or options.ship):
        try_all(rows, options)
    if options.ship:
        ship(rows)
    found = evidence(rows, options)
    if options.out:
        write_atomic(options.out, json.dumps(found, indent=1) + "\n")
    print(json.dumps({key: value for key, value in found.items() if key != "rows"}, indent=1))
    return int(found["complete"] and found["built"] < 0.8 * len(rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="where the evidence goes")
    parser.add_argument("--number", type=int, default=None, help="default: 40, or 1 without --out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", help="names, instead of a draw")
    parser.add_argument("--draw", action="store_true", help="try none")
    parser.add_argument("--ship", action="store_true", help="try none; put what was built among the shipped profiles")
    parser.add_argument("--again", action="store_true", help="try those that failed once more")
    parser.add_argument("--candidates", type=int, default=20, help="of each package, through validation")
    parser.add_argument("--workers", type=int, default=2, help="packages at once")
    parser.add_argument("--sandbox", default="auto")
    options = parser.parse_args()
    if options.number is None:
        options.number = 40 if options.out else 1
    return options


if __name__ == "__main__":
    sys.exit(main())
