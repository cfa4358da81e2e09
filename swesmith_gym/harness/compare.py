"""From two test runs to FAIL_TO_PASS, PASS_TO_PASS and lost. Pure: reports in, lists out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from swesmith_gym.errors import CandidateRejected
from swesmith_gym.records import BROKEN, Outcome, TestReport, Validation


def validation(
    passing: Collection[str], report: TestReport, module_of: Callable[[str], str], *, most_broken: int | None = None
) -> Validation:
    """What happened to the tests that pass on the pristine tree, in a run with the bug.

    A test whose module, or whose whole suite, could not be collected has errored; one that vanished otherwise, or was
    skipped, is lost. `most_broken`: tests that may fail; None: any number. Raises: CandidateRejected (timeout, crash,
    no_failing_test, breaks_too_much, all_tests_broken).
    """
    if report.slow:
        raise CandidateRejected(reason="timeout", detail=f"{report.slow} used more than its limit of processor time")
    if report.timed_out:
        raise CandidateRejected(reason="timeout", detail=f"the tests did not end within {report.duration_s:.0f} s")
    if not report.finished and "" not in report.broken_modules:
        raise CandidateRejected(
            reason="crash", detail=f"the test run died with exit code {report.exit_code}: {report.log[-300:].strip()}"
        )
    kinds: dict[str, list[str]] = {"f2p": [], "p2p": [], "lost": []}
    for test in passing:
        kinds[_kind(test, report, module_of)].append(test)
    if not kinds["f2p"]:
        raise CandidateRejected(reason="no_failing_test", detail=f"{len(kinds['p2p'])} tests pass as before")
    if most_broken is not None and len(kinds["f2p"]) > most_broken:
        raise CandidateRejected(
            reason="breaks_too_much", detail=f"more than {most_broken} of {len(passing)} tests fail, which are too many"
        )
    if not kinds["p2p"]:
        raise CandidateRejected(reason="all_tests_broken", detail=f"{len(kinds['f2p'])} tests fail, none passes")
    return Validation(
        fail_to_pass=tuple(sorted(kinds["f2p"])),
        pass_to_pass=tuple(sorted(kinds["p2p"])),
        lost=tuple(sorted(kinds["lost"])),
        messages={test: _message(test, report, module_of) for test in kinds["f2p"]},
    )


def refuse_collection_errors(found: Validation, report: TestReport, module_of: Callable[[str], str]) -> None:
    """Raises: CandidateRejected (collection_error) where a FAIL_TO_PASS test could not even be collected."""
    for test in found.fail_to_pass:
        if test not in report.results:
            text = report.broken_modules.get(module_of(test), "").strip().splitlines()
            raise CandidateRejected(
                reason="collection_error", detail=f"{module_of(test)} is not collected: {text[-1] if text else ''}"
            )


def refuse_idle_parts(found: Validation, parts: Sequence[Collection[str]]) -> None:
    """`parts`: as in `BugCandidate`. Raises: CandidateRejected (part_without_effect) where whoever leaves one of the
    combined bugs in could pass."""
    failing = frozenset(found.fail_to_pass)
    for number, tests in enumerate(parts, 1):
        if failing.isdisjoint(tests):
            raise CandidateRejected(
                reason="part_without_effect",
                detail=f"no test that bug {number} of {len(parts)} breaks alone fails with all of them",
            )


def stable(found: Validation, bug: Sequence[TestReport], gold: Sequence[TestReport]) -> Validation:
    """Without the FAIL_TO_PASS tests that did something else when they were run again: those are lost.

    Raises: CandidateRejected (flaky) where none is left.
    """
    rates = {test: (_rate(test, bug), _rate(test, gold)) for test in found.fail_to_pass}
    unstable = {test for test, rate in rates.items() if rate != (0.0, 1.0)}
    if len(unstable) == len(found.fail_to_pass):
        test = min(unstable)
        raise CandidateRejected(
            reason="flaky",
            detail=f"{test} passes in {rates[test][0]:.0%} of runs with the bug, {rates[test][1]:.0%} without",
        )
    return replace(
        found,
        fail_to_pass=tuple(test for test in found.fail_to_pass if test not in unstable),
        lost=tuple(sorted({*found.lost, *unstable})),
        pass_rates=rates,
    )


def _rate(test: str, reports: Sequence[TestReport]) -> float:
    """Share of the runs in which the test passed."""
    passed = sum(test in each.results and each.results[test].outcome is Outcome.PASSED for each in reports)
    return round(passed / len(reports), 4)


def _kind(test: str, report: TestReport, module_of: Callable[[str], str]) -> str:
    result = report.results.get(test)
    if result is None:
        broken = "" in report.broken_modules or module_of(test) in report.broken_modules
        return "f2p" if broken else "lost"
    if result.outcome is Outcome.PASSED:
        return "p2p"
    return "f2p" if result.outcome in BROKEN else "lost"


def _message(test: str, report: TestReport, module_of: Callable[[str], str]) -> str:
    if test in report.results:
        return "" if report.results[test].brief else report.results[test].message
    return report.broken_modules.get(module_of(test), report.broken_modules.get("", ""))
