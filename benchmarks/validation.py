"""Validation of candidates: impacted runs against full ones, and against other ways to do it.

    python benchmarks/validation.py tinydb sqlparse boltons --candidates 200 --others 20 --mutmut-s 120 --out FILE
    python benchmarks/validation.py                                 # a short one, to standard output

For each repository (built if need be), the same candidates, drawn by the seed, two at a time but for the first:

    verdict     what a candidate can reach, in forks (the product): FAIL_TO_PASS and PASS_TO_PASS; one at a time
    impacted    the same up to a task: with the tests run again three times, with the bug and without it, and sealing
    full        the whole suite for each candidate in a fresh bubblewrap sandbox
    docker      the same in a fresh Docker container; where a daemon answers and a portable root is there
    mutmut      mutants of its own in the same environment, for a while: it stops at the first test that fails

The ways with one suite for each candidate run `--others` of them. FAIL_TO_PASS, PASS_TO_PASS and reasons for a
rejection of `impacted` must be those of `full`: the exit code is 1 if one is not, but for a bug of which the whole
suite, in other orders, breaks now these tests and now those (`unstable`: the order of a set of objects, say).

Processor time is the whole machine's, since processes that are killed and a daemon's containers tell nobody what they
have used; the tests' own time is what their reports say, by the clock, and the limit of processor time for a test that
was ended there: nothing else should run. `cold_start_cpu_s` is one test alone in a new
process of pytest, which is how fast the machine is: 0.26 s where the limit of 0.08 s of overhead was set.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from _candidates import candidates
from _measure import load, machine
from _mutmut import mutmut

from swesmith_gym import sandboxes
from swesmith_gym.errors import SandboxError
from swesmith_gym.executors import LocalExecutor
from swesmith_gym.harness.exactness import difference, outcome
from swesmith_gym.harness.impacted import ImpactedRuns
from swesmith_gym.harness.run import run_tests
from swesmith_gym.harness.runs import FullRuns
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.validate import ValidationSettings, buggy, validate_all
from swesmith_gym.harness.worker import Ran, Step, Worker
from swesmith_gym.home import write_atomic
from swesmith_gym.pipeline.spent import machine_cpu_s
from swesmith_gym.records import BROKEN, BugCandidate, RejectedCandidate
from swesmith_gym.repos import impacts
from swesmith_gym.repos.resolve import ensure_built

WORKERS = 2
COLD = 10
"""Cold starts, whose mean is told."""
ORDERS = 5
"""In which a whole suite is run where an impacted run gave something else."""
STAMP = "2026-01-01T00:00:00Z"


def say(text: str) -> None:
    """Progress, on standard error."""
    print(f"validation: {text}", file=sys.stderr, flush=True)


@contextmanager
def reports_kept() -> Iterator[list[bytes]]:
    """Those of every run of a worker, as they are."""
    kept: list[bytes] = []
    ran = Worker.ran

    def keeping(worker: Worker, step: Step, answer: Step) -> Ran:
        found = ran(worker, step, answer)
        kept.extend(found.reports)
        return found

    setattr(Worker, "ran", keeping)  # noqa: B010  (a method, by its type)
    try:
        yield kept
    finally:
        setattr(Worker, "ran", ran)  # noqa: B010  (as above)


def own_times(reports: Sequence[bytes], testbed: Testbed) -> list[float]:
    """What each test of all these runs took by itself, in seconds."""
    parse = testbed.language.parse_report
    found = [parse(raw, exit_code=0, timed_out=False, duration_s=0.0, log="") for raw in reports]
    limits = testbed.cpu_limits()
    ended = [limits.tests.get(report.slow, limits.default) for report in found if report.slow]
    return [*ended, *(result.duration_s for report in found for result in report.results.values())]


def measured(number: int, act: Callable[[], object]) -> dict[str, Any]:
    """Wall and processor time of something that is done for so many candidates."""
    began, cpu_s = time.perf_counter(), machine_cpu_s()
    act()
    wall_s, cpu_s = time.perf_counter() - began, machine_cpu_s() - cpu_s
    rates = {"per_s": round(number / wall_s, 3), "cpu_s_per_candidate": round(cpu_s / number, 4)}
    return {"candidates": number, "wall_s": round(wall_s, 2), "cpu_s": round(cpu_s, 2), **rates}


def impacted(testbed: Testbed, runs: ImpactedRuns, given: Sequence[BugCandidate], cold_s: float) -> dict[str, Any]:
    """The product's own way, to tasks."""
    settings = ValidationSettings(STAMP)
    results: list[object] = []

    def act() -> None:
        results.extend(result for _, result in validate_all(given, runs, LocalExecutor(WORKERS), settings))

    row = beyond_tests(testbed, given, act, cold_s)
    tasks = sum(not isinstance(each, RejectedCandidate) for each in results)
    suite = sum(testbed.image.baseline[test].duration_s for test in testbed.passing)
    return {**row, "tasks": tasks, "suite_own_s": round(suite, 2)}


def verdicts(testbed: Testbed, runs: ImpactedRuns, given: Sequence[BugCandidate], cold_s: float) -> dict[str, Any]:
    """FAIL_TO_PASS and PASS_TO_PASS of one candidate after the other: nothing is run again, nothing sealed."""

    def act() -> None:
        for candidate in given:
            outcome(runs, buggy(candidate.bug_patch, testbed))

    return beyond_tests(testbed, given, act, cold_s)


def beyond_tests(
    testbed: Testbed, given: Sequence[BugCandidate], act: Callable[[], object], cold_s: float
) -> dict[str, Any]:
    """What `act` takes for these candidates, and how much of that is not the tests' own, in cold starts as well."""
    with reports_kept() as reports:
        row = measured(len(given), act)
    own = own_times(reports, testbed)
    over = (row["cpu_s"] - sum(own)) / len(given)
    return {
        **row,
        "tests_own_s": round(sum(own), 2),
        "tests_run_of_all": round(len(own) / (len(given) * len(testbed.passing)), 4),
        "overhead_cpu_s_per_candidate": round(over, 4),
        "cold_start_cpu_s": cold_s,
        "overhead_in_cold_starts": round(over / cold_s, 3),
    }


def agreement(runs: ImpactedRuns, given: Sequence[BugCandidate]) -> dict[str, Any]:
    """Every candidate both ways."""
    full = FullRuns(runs.testbed)

    def both(candidate: BugCandidate) -> tuple[str, bool]:
        files = buggy(candidate.bug_patch, runs.testbed)
        found = difference(runs, full, files)
        return found and f"{candidate.candidate_id}: {found}", bool(found) and hangs_on_order(runs.testbed, files)

    found = [done.value for done in LocalExecutor(WORKERS).map(both, given) if done.value[0]]
    return {
        "candidates": len(given),
        "identical": len(given) - len(found),
        "differences": [text for text, unstable in found if not unstable],
        "unstable": [text for text, unstable in found if unstable],
    }


def hangs_on_order(testbed: Testbed, files: Mapping[str, bytes | None]) -> bool:
    """The whole suite, in other orders, does not always break the same tests."""
    broken = set()
    for order in range(1, ORDERS + 1):
        with testbed.start() as sandbox:
            sandbox.apply(testbed.changes(dict(files)))
            report = run_tests(sandbox, testbed.language, testbed.image.test, shuffle=order)
        broken.add(frozenset(test for test, result in report.results.items() if result.outcome in BROKEN))
    return len(broken) > 1


def cold_start_cpu_s(testbed: Testbed) -> float:
    """One test in a new process of pytest, which collects its file alone."""
    baseline = testbed.image.baseline
    test = min(testbed.passing, key=lambda each: (baseline[each].duration_s, each))
    others = testbed.test_files - {testbed.language.module_of(test)}
    with testbed.start() as sandbox:

        def one() -> object:
            return run_tests(sandbox, testbed.language, testbed.image.test, tests=[test], left_out=others)

        one()
        return float(measured(COLD, lambda: [one() for _ in range(COLD)])["cpu_s_per_candidate"])


def in_full(testbed: Testbed, given: Sequence[BugCandidate]) -> dict[str, Any]:
    """One suite for each candidate in a fresh sandbox of the testbed's backend."""
    full = FullRuns(testbed)

    def one(candidate: BugCandidate) -> None:
        outcome(full, buggy(candidate.bug_patch, testbed))

    return measured(len(given), lambda: list(LocalExecutor(WORKERS).map(one, given)))


def docker_testbed(name: str) -> Testbed | str:
    """The repository on Docker, no container made ahead; a text: why not."""
    try:
        backend = sandboxes.backend("docker")
        backend.root_fs()
        return ensure_built(name, type(backend)(warm=0), say)  # type: ignore[call-arg]
    except (SandboxError, ValueError) as error:
        return str(error)


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """One repository."""
    testbed = ensure_built(name, sandboxes.backend("bubblewrap"), say)
    say(f"{name}: impact map")
    impact = impacts.ensure(testbed, LocalExecutor(WORKERS), lambda *_: None)
    if impact.refused:
        return {"refused": impact.refused}
    trusted = testbed.without(impact.order_dependent, "order")
    given = candidates(trusted, options.candidates, options.seed)
    few = given[: options.others]
    with closing(ImpactedRuns(trusted, impact)) as runs:
        for each in few[:WORKERS]:  # the workers have started, and compiled what does not change
            outcome(runs, buggy(each.bug_patch, trusted))
        say(f"{name}: {len(given)} candidates impacted")
        cold_s = cold_start_cpu_s(trusted)
        rows: dict[str, Any] = {
            "verdict": verdicts(trusted, runs, given, cold_s),
            "impacted": impacted(trusted, runs, given, cold_s),
        }
        say(f"{name}: agreement")
        rows["agreement"] = agreement(runs, given)
    say(f"{name}: {len(few)} candidates in full")
    rows["full"] = in_full(trusted, few)
    on_docker = docker_testbed(name)
    rows["docker"] = {"left_out": on_docker} if isinstance(on_docker, str) else in_full(on_docker, few)
    rows["mutmut"] = mutmut(name, trusted, options.mutmut_s)
    for way in ("full", "docker", "mutmut"):
        if "per_s" in rows[way]:
            rows[way]["impacted_is_times_faster"] = round(rows["impacted"]["per_s"] / rows[way]["per_s"], 1)
    return rows


def main() -> int:
    """Exit code 1: an impacted run gave something else than the full one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repos", nargs="*", default=["tinydb"], help="names of profiles")
    parser.add_argument("--candidates", type=int, default=20)
    parser.add_argument("--others", type=int, default=4, help="candidates of the slower ways")
    parser.add_argument("--mutmut-s", type=int, default=0, help="time for mutmut, in seconds; 0: it is left out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = {name: measure(name, options) for name in options.repos}
    found = {"machine": machine(), "load": load(), "seed": options.seed, "repositories": rows}
    text = json.dumps(found, indent=1) + "\n"
    if options.out:
        write_atomic(options.out, text)
    print(text, end="")
    return any(row.get("agreement", {}).get("differences") for row in rows.values())


if __name__ == "__main__":
    sys.exit(main())
