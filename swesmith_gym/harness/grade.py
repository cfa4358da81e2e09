"""Grading: the one definition of "resolved", for rewards, evaluation and verification alike.

A submission is laid over the pristine code with the bug in it, tests are run as at validation, in a fresh sandbox with
the pristine test surface, and `decide` compares the report with what the task requires. `decide` is pure. Beside it, a
second run in another sandbox wants something else of the code, which must not give that, too (`tampering`).
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from swesmith_gym.errors import GradingFault, SandboxUnsupported
from swesmith_gym.harness.attempts import Attempts, Bench, CannotBeLaid, whole
from swesmith_gym.harness.impact import Impact
from swesmith_gym.harness.reach import completed, unreached
from swesmith_gym.harness.tampering import Watch, watches
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import FileChange, Outcome, Submission, TaskInstance, TestReport, Verdict
from swesmith_gym.tasks import sealing
from swesmith_gym.tasks import tree as trees

Grading = Literal["full", "impacted"]
"""`full`: the whole suite is run. `impacted`: only the test files that the submission can reach, by the impact map;
where there is none, or it is not exact, everything."""

_FEW = 20
"""Where more tests fail than this, the host's pace is not the cause."""


@dataclass(frozen=True, slots=True)
class Required:
    """The tests that decide, after those that do not pass on this host's baseline were left out."""

    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]
    drifted: int = 0
    """How many were left out."""


def required(task: TaskInstance, testbed: Testbed) -> Required:
    """What `task` asks for on this testbed: everything, less what does not pass on this host's own baseline.

    An equal fingerprint does not make two hosts equal (`root_fs` may be `host`), so the baseline is always asked.
    Raises: GradingFault (drift left no FAIL_TO_PASS test).
    """
    f2p = tuple(t for t in task.FAIL_TO_PASS if t in testbed.passing)
    p2p = tuple(t for t in task.PASS_TO_PASS if t in testbed.passing)
    if not f2p:
        raise GradingFault(
            f"{task.instance_id}: no FAIL_TO_PASS test passes on this host's build of {task.repo}; "
            f"it was validated under {task.image_key}, here is {testbed.image.key}"
        )
    lost = len(task.FAIL_TO_PASS) + len(task.PASS_TO_PASS) - len(f2p) - len(p2p)
    return Required(f2p, p2p, lost)


def decide(task: TaskInstance, needed: Required, report: TestReport) -> Verdict:
    """The verdict on one report. A required test counts only where the report says that it passed."""

    def passed(test: str) -> bool:
        return test in report.results and report.results[test].outcome is Outcome.PASSED

    split = {ok: tuple(t for t in needed.fail_to_pass if passed(t) is ok) for ok in (True, False)}
    kept = {ok: tuple(t for t in needed.pass_to_pass if passed(t) is ok) for ok in (True, False)}
    whole = report.finished and report.exit_code in (0, 1)
    return Verdict(
        instance_id=task.instance_id,
        resolved=whole and not split[False] and not kept[False],
        f2p_success=split[True],
        f2p_failure=split[False],
        p2p_success=kept[True],
        p2p_failure=kept[False],
        drifted=needed.drifted,
    )


class _EndlessControl(GradingFault):
    """The pristine tree with canaries in it does not come to its end."""


def grade(
    task: TaskInstance,
    submission: Submission,
    testbed: Testbed,
    *,
    impact: Impact | None = None,
    bench: Bench | None = None,
) -> Verdict:
    """What `submission` is worth. Never raises for anything that a submission can cause.

    `impact`: for `impacted` grading; None: the whole suite is run. `bench`: where it is run; None: as `Bench` says.

    A run that does not come to its end (the sandbox died, the time or the memory ran out, the report is torn) is tried
    again on a fresh sandbox, and so is one in which nothing failed but tests that measure time. If it never ends while
    a control run of the pristine tree does, the submission is the cause: unresolved where it was only too slow, a
    violation else. Where everything passed, it is a violation, too, if tests that must fail did not (`tampering`),
    though they do in the control, or if code looks at the tests that run it. Raises: GradingFault (the control fails
    too, or this host starts no sandbox), SandboxUnsupported.
    """
    if not testbed.backend.capabilities().isolates:
        raise SandboxUnsupported(
            f"{testbed.backend.name}: grading needs network and process isolation; if this machine is itself a sandbox "
            "with nothing else in it, say so with --trust-outer-sandbox"
        )
    started = time.monotonic()
    bench = bench or Bench(testbed)
    needed = required(task, testbed)
    if submission.violation:
        return _violation(task, needed, submission.violation)
    try:
        verdict = _judged(task, needed, submission, bench, impact)
    except _EndlessControl:  # it may have been a canary
        verdict = _judged(task, needed, submission, bench, impact)
    return replace(verdict, patch_exists=bool(submission.changes), duration_s=time.monotonic() - started)


def _judged(
    task: TaskInstance, needed: Required, submission: Submission, bench: Bench, impact: Impact | None
) -> Verdict:
    """Both runs, at once, and what follows from them. Who changed nothing passes nothing, and cannot tell the runs
    apart: then the second one waits until it is needed."""
    testbed = bench.testbed
    changes = _changes(task, submission, testbed)
    watch, decoys = _watches(testbed, needed, changes, impact)
    attempt = partial(bench.run_to_its_end, changes)
    with testbed.backend.quiet(), ThreadPoolExecutor(1, "decoys") as beside:
        second = beside.submit(attempt, decoys) if decoys and submission.changes else None
        try:
            first = attempt(watch, lambda report: _slowed(_decided(task, needed, report, watch, testbed), testbed))
        except CannotBeLaid as error:
            return _violation(task, needed, f"the submission cannot be laid over the tree: {error}")
        verdict = _of_one_run(task, needed, bench, watch, first)
        tampered = _suspicion(bench, watch, first, first, verdict)
        if decoys and not tampered and verdict.f2p_success:
            found = second.result() if second else attempt(decoys)
            if verdict.resolved and not whole(found.report):
                found = attempt(decoys)
            tampered = _suspicion(bench, decoys, found, first, verdict)
    if tampered:
        return _violation(task, needed, f"the tests were tampered with: {tampered}")
    if verdict.resolved and (seen := _looks_at_tests(submission, testbed)):
        return _violation(task, needed, f"the code looks at the tests that run it: {seen[0]}")
    return verdict


def _watches(
    testbed: Testbed, needed: Required, changes: tuple[FileChange, ...], impact: Impact | None
) -> tuple[Watch, Watch | None]:
    """Both runs' plans; they leave out the same."""
    first, second = watches(testbed, needed.fail_to_pass)
    if impact is None:
        return first, second
    both = [watch for watch in (first, second) if watch]
    left_out = unreached(testbed, impact, changes, needed.fail_to_pass, both)
    return replace(first, left_out=left_out), second and replace(second, left_out=left_out)


def _decided(task: TaskInstance, needed: Required, report: TestReport, watch: Watch, testbed: Testbed) -> Verdict:
    return decide(task, needed, completed(report, watch.left_out, testbed))


def _of_one_run(task: TaskInstance, needed: Required, bench: Bench, watch: Watch, runs: Attempts) -> Verdict:
    """The verdict on the deciding run, as its report has it. Raises: GradingFault."""
    verdict = _decided(task, needed, runs.report, watch, bench.testbed) if runs.report else _violation(task, needed, "")
    if whole(runs.report):
        return verdict
    if not bench.control(watch).finished:
        raise _EndlessControl(f"{task.instance_id}: the suite does not come to its end on the pristine tree either")
    if runs.report and runs.report.timed_out:
        return verdict
    return replace(verdict, resolved=False, violation=f"the tests never came to their end: {'; '.join(runs.ends)}")


def _suspicion(bench: Bench, watch: Watch, runs: Attempts, deciding: Attempts, verdict: Verdict) -> str:
    """What is wrong with a run that a control run does not show as well; empty: nothing. Raises: GradingFault.

    A control that does not end shows that what was planted is the cause, which tells nothing.
    """
    if runs.report is None or deciding.report is None or not whole(runs.report):
        if not verdict.resolved or not bench.control(watch).finished:
            return ""
        return f"the second run never came to its end: {'; '.join(runs.ends)}"
    wrong = watch.suspicions(runs.report, deciding.report, resolved=verdict.resolved)
    usual = watch.suspicions(bench.control(watch), deciding.report, resolved=True) if wrong else {}
    return min((text for about, text in wrong.items() if about not in usual), default="")


def _slowed(verdict: Verdict, testbed: Testbed) -> bool:
    """Nothing failed but tests that measure time: the host may have been too busy for them."""
    failed = (*verdict.f2p_failure, *verdict.p2p_failure)
    if not 0 < len(failed) <= _FEW:
        return False
    files = trees.contents(testbed.pristine)
    return all(testbed.language.reads_clock(files, test) for test in failed)


def _looks_at_tests(submission: Submission, testbed: Testbed) -> tuple[str, ...]:
    """What gives away code that is right while it is tested only; no outcome of a test does."""
    before = {path: data for path, data in trees.contents(testbed.pristine).items() if not testbed.on_surface(path)}
    after = {c.path: c.data or b"" for c in submission.changes if not testbed.on_surface(c.path)}
    return testbed.language.looks_at_tests(before, after)


def _changes(task: TaskInstance, submission: Submission, testbed: Testbed) -> tuple[FileChange, ...]:
    """Everything that differs from the pristine tree: the bug, then the agent's changes off the test surface."""
    changes = {c.path: c for c in testbed.changes(sealing.buggy_files(testbed.pristine, task.bug_patch))}
    changes |= {c.path: c for c in submission.changes if not testbed.on_surface(c.path)}
    return tuple(
        c for c in changes.values() if testbed.pristine.get(c.path) != (None if c.data is None else (c.mode, c.data))
    )


def _violation(task: TaskInstance, needed: Required, text: str) -> Verdict:
    return Verdict(
        instance_id=task.instance_id,
        resolved=False,
        f2p_failure=needed.fail_to_pass,
        p2p_failure=needed.pass_to_pass,
        violation=text,
        drifted=needed.drifted,
    )
