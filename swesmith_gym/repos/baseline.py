"""The baseline: what a repository's tests do on its pristine tree, found by running the whole suite several times."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from swesmith_gym.errors import ProfileError
from swesmith_gym.harness.run import run_tests
from swesmith_gym.languages.base import Language
from swesmith_gym.records import BROKEN, Outcome, TestReport, TestResult, TestSetup
from swesmith_gym.repos.images import spec_of
from swesmith_gym.sandboxes.base import SandboxBackend

RUNS = 3
LEAST_PASSING = 0.8
"""Share of the tests that must pass for a repository to be kept, skipped ones aside."""
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the runs showed together."""

    results: Mapping[str, TestResult]
    """Every id of any run, in the order of the first that had it; durations are medians."""
    quarantined: Mapping[str, str]
    """Id -> `flaky` or `unstable_id`."""
    broken_modules: Mapping[str, str]
    suite_s: float
    """Median wall time of a run, in seconds."""


def measure(
    where: Path,
    language: Language,
    prefix: str,
    setup: TestSetup,
    backend: SandboxBackend,
    progress: Callable[[str], None],
) -> Baseline:
    """Run the suite of the image in the folder `where`. The first run seeds the byte code.

    Raises: ProfileError (`step="baseline"`: a run did not end, nothing was collected, too little passes), SandboxError.
    """
    reports = []
    for run in range(RUNS):
        progress(f"baseline {run + 1} of {RUNS}")
        first = run == 0
        with backend.start(spec_of(where, language.name, prefix, seed=first)) as sandbox:
            env = language.seed_env if first else None
            reports.append(run_tests(sandbox, language, setup, env=env))
        _check_end(reports[-1], setup)
        if first:
            _forget_tree(where / "bytecode", backend)
    found = combine(reports)
    check(found)
    return found


def _forget_tree(bytecode: Path, backend: SandboxBackend) -> None:
    """Drop the byte code of the work tree: none may lie in any layer, or an edit could be silently absent."""
    own = bytecode / "testbed"
    if own.is_symlink():
        own.unlink()
    elif own.exists():
        backend.remove_tree(own)


def _check_end(report: TestReport, setup: TestSetup) -> None:
    if report.timed_out:
        why = f"the suite did not end within {setup.timeout_s:g} s; raise `timeout_s` in the profile, or narrow `paths`"
    elif not report.finished:
        why = f"the test run broke off (exit code {report.exit_code})"
    elif not report.results:
        broken = next(iter(report.broken_modules.values()), "")
        why = f"no test was collected{': ' + broken.strip().splitlines()[-1] if broken.strip() else ''}"
    else:
        return
    log = report.log or "\n".join(report.broken_modules.values())
    raise ProfileError(why, step="baseline", log=log)


def combine(reports: list[TestReport]) -> Baseline:
    """What several runs of the same suite show together."""
    seen = Counter(test for report in reports for test in report.results)
    results: dict[str, TestResult] = {}
    quarantined = {}
    for test, count in seen.items():
        runs = [report.results[test] for report in reports if test in report.results]
        duration = round(statistics.median(run.duration_s for run in runs), 4)
        results[test] = TestResult(runs[0].outcome, duration, runs[0].message[-2000:])
        if count < len(reports):
            quarantined[test] = "unstable_id"
        elif len({run.outcome for run in runs}) > 1:
            quarantined[test] = "flaky"
    broken = {path: text for report in reports for path, text in report.broken_modules.items()}
    suite_s = round(statistics.median(report.duration_s for report in reports), 3)
    return Baseline(results, quarantined, broken, suite_s)


def check(found: Baseline) -> None:
    """Raises: ProfileError where fewer than 80 % of the tests pass, saying how many fail and which first."""
    counted = {test: r for test, r in found.results.items() if found.quarantined.get(test) != "unstable_id"}
    failing = [test for test, r in counted.items() if r.outcome in BROKEN or test in found.quarantined]
    failing += [path for path in found.broken_modules if path not in failing]
    passing = sum(r.outcome is Outcome.PASSED and test not in found.quarantined for test, r in counted.items())
    total = passing + len(failing)
    if total and passing / total >= LEAST_PASSING:
        return
    log = "\n\n".join(
        f"{name}\n{found.broken_modules.get(name) or (found.results[name].message if name in found.results else '')}"
        for name in failing[:_SHOWN]
    )
    raise ProfileError(
        f"{len(failing)} of {total} tests fail, more than the {1 - LEAST_PASSING:.0%} that are allowed"
        f" (the first: {', '.join(failing[:3]) or 'none ran'}); see what they need with `repos review`, "
        "or narrow `paths` in the profile",
        step="baseline",
        log=log,
    )
