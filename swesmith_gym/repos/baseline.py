"""The baseline: what a repository's tests do on its pristine tree, found by running the whole suite several times."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from swesmith_gym.errors import ProfileError
from swesmith_gym.harness.run import run_tests
from swesmith_gym.languages.base import Language
from swesmith_gym.records import BROKEN, Outcome, TestReport, TestResult, TestSetup
from swesmith_gym.repos.images import spec_of
from swesmith_gym.sandboxes.base import SandboxBackend

PLAIN_RUNS = 3
"""Runs that are alike; those that differ come after them."""
LEAST_PASSING = 0.8
"""Share of the tests that must pass for a repository to be kept, skipped ones aside; or of the test files, counting
those of whose tests most pass: one thing that a source lacks may fail hundreds of cases of one test."""
LEAST_AT_ALL = 0.5
"""Share of the tests that must pass in any case."""
MOST_HANGING = 3
"""Tests that may be taken out because they do not end."""
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the runs showed together."""

    results: Mapping[str, TestResult]
    """Every id of the first run, in its order; durations are medians over the runs."""
    quarantined: Mapping[str, str]
    """Id -> `unstable_id` (not collected in every run), `flaky` (plain runs differ), `order` (it fails in another
    order), `environment` (under another seed of hashes or time zone), `network` or `hangs`."""
    pass_rates: Mapping[str, float]
    """Id -> share of all runs that it passed in, for tests that passed in some and not in all."""
    broken_modules: Mapping[str, str]
    suite_s: float
    """Median wall time of a run, in seconds."""


@dataclass(frozen=True, slots=True)
class Place:
    """An image in the making, and what runs it."""

    where: Path
    """Its folder."""
    language: Language
    prefix: str
    """Of its interpreter; empty below `/usr`."""
    backend: SandboxBackend
    root_fs: str
    """Name of its root file system."""


def measure(place: Place, setup: TestSetup, progress: Callable[[str], None]) -> tuple[Baseline, TestSetup]:
    """Run the suite several times, alike and then in other conditions; the first run seeds the byte code.

    A test that keeps the first run from ending is taken out of the set-up and quarantined (`hangs`), which is why the
    set-up comes back as well. Raises: ProfileError (`step="baseline"`: a run did not end, nothing was collected, too
    little passes), SandboxError.
    """
    hanging: list[str] = []
    reports: list[TestReport] = []
    conditions = _conditions(place.language)
    while len(reports) < len(conditions):
        progress(f"baseline {len(reports) + 1} of {len(conditions)}")
        first = not reports
        report = _run(place, setup, conditions[len(reports)], seed=first)
        stuck = _stuck(report) if first and len(hanging) < MOST_HANGING else ""
        if stuck:
            progress(f"{stuck} does not end: taken out")
            hanging.append(stuck)
            setup = replace(setup, args=(*setup.args, *place.language.without(stuck)))
            continue
        check_end(report, setup)
        reports.append(report)
    found = combine(reports, [condition.reason for condition in conditions], place.language.needs_network)
    check(found, place.language.module_of)
    return replace(found, quarantined={**found.quarantined, **dict.fromkeys(hanging, "hangs")}), setup


@dataclass(frozen=True, slots=True)
class _Condition:
    """What is particular about one run, and the reason for a quarantine that it tells."""

    reason: str
    shuffle: int | None = None
    env: Mapping[str, str] = field(default_factory=dict)


def _conditions(language: Language) -> list[_Condition]:
    plain = [_Condition("flaky")] * PLAIN_RUNS
    return [*plain, _Condition("order", shuffle=1), *(_Condition("environment", env=env) for env in language.other_env)]


def _run(place: Place, setup: TestSetup, condition: _Condition, *, seed: bool) -> TestReport:
    spec = spec_of(place.where, place.language.name, place.prefix, root_fs=place.root_fs, seed=seed)
    with place.backend.start(spec) as sandbox:
        env = {**condition.env, **(place.language.seed_env if seed else {})}
        report = run_tests(sandbox, place.language, setup, env=env, shuffle=condition.shuffle)
    if seed:
        place.backend.fetch(place.where / "bytecode")
        _forget_tree(place.where / "bytecode", place.backend)
    return report


def _stuck(report: TestReport) -> str:
    """The test that a run out of time was at; empty where it is not one single test that takes the time."""
    if not report.timed_out or not report.collected:
        return ""
    left = [test for test in report.collected if test not in report.results]
    spent = sum(result.duration_s for result in report.results.values())
    return left[0] if left and spent < report.duration_s / 2 else ""


def _forget_tree(bytecode: Path, backend: SandboxBackend) -> None:
    """Drop the byte code of the work tree: none may lie in any layer, or an edit could be silently absent."""
    own = bytecode / "testbed"
    if own.is_symlink():
        own.unlink()
    elif own.exists():
        backend.remove_tree(own)


def check_end(report: TestReport, setup: TestSetup) -> None:
    """Raises: ProfileError where a run did not come to its end, or ran nothing."""
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


def combine(reports: Sequence[TestReport], reasons: Sequence[str], needs_network: Callable[[str], bool]) -> Baseline:
    """What several runs of the same suite show together. `reasons`: for each run, why a test is quarantined that did
    something else in it than in the first."""
    results: dict[str, TestResult] = {}
    quarantined = {}
    pass_rates = {}
    for test in reports[0].results:
        runs = [report.results[test] for report in reports if test in report.results]
        duration = round(statistics.median(run.duration_s for run in runs), 4)
        results[test] = TestResult(runs[0].outcome, duration, runs[0].message[-2000:])
        passed = sum(run.outcome is Outcome.PASSED for run in runs)
        if 0 < passed < len(runs):
            pass_rates[test] = round(passed / len(runs), 4)
        others = [reason for run, reason in zip(runs, reasons, strict=False) if run.outcome is not runs[0].outcome]
        if len(runs) < len(reports):
            quarantined[test] = "unstable_id"
        elif others:
            quarantined[test] = others[0]
        elif runs[0].outcome in BROKEN and needs_network(runs[0].message):
            quarantined[test] = "network"
    broken = {path: text for report in reports for path, text in report.broken_modules.items()}
    suite_s = round(statistics.median(report.duration_s for report in reports), 3)
    return Baseline(results, quarantined, pass_rates, broken, suite_s)


def check(found: Baseline, module_of: Callable[[str], str]) -> None:
    """Raises: ProfileError where fewer than 80 % of the tests pass, and of the files: how many, and which first."""
    counted = {test: r for test, r in found.results.items() if found.quarantined.get(test) != "unstable_id"}
    failing = [test for test, r in counted.items() if r.outcome in BROKEN or test in found.quarantined]
    failing += [path for path in found.broken_modules if path not in failing]
    passing = [test for test, r in counted.items() if r.outcome is Outcome.PASSED and test not in found.quarantined]
    total = len(passing) + len(failing)
    share = len(passing) / total if total else 0.0
    if share >= LEAST_PASSING or (share >= LEAST_AT_ALL and _sound_files(passing, failing, module_of) >= LEAST_PASSING):
        return
    log = "\n\n".join(
        f"{name}\n{found.broken_modules.get(name) or (found.results[name].message if name in found.results else '')}"
        for name in failing[:_SHOWN]
    )
    raise ProfileError(
        f"{len(failing)} of {total} tests fail, more than the {1 - LEAST_PASSING:.0%} that are allowed"
        f" (the first: {', '.join(_named(name, found) for name in failing[:3]) or 'none ran'}); what they say is in "
        "the log; add what they need to `requirements` in the profile, or narrow `paths`",
        step="baseline",
        log=log,
    )


def _sound_files(passing: Sequence[str], failing: Sequence[str], module_of: Callable[[str], str]) -> float:
    """Share of the files of whose tests most pass."""
    balance = Counter(map(module_of, passing))
    balance.subtract(map(module_of, failing))
    return sum(number > 0 for number in balance.values()) / len(balance)


def _named(name: str, found: Baseline) -> str:
    """A test or module that fails, with the last line of what it says."""
    result = found.results.get(name)
    said = found.broken_modules.get(name) or (result.message if result else "")
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "")
    return f"{name} ({last[:120]})" if last else name
