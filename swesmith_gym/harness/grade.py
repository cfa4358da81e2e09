"""Grading: the one definition of "resolved", for rewards, evaluation and verification alike.

A submission is laid over the pristine code with the bug in it, tests are run as at validation, in a fresh sandbox with
the pristine test surface, and `decide` compares the report with what the task requires. `decide` is pure.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from swesmith_gym.errors import GradingFault, SandboxDied, SandboxUnavailable, SandboxUnsupported
from swesmith_gym.harness.run import run_tests
from swesmith_gym.harness.tampering import Watch
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import FileChange, Outcome, Submission, TaskInstance, TestReport, Verdict
from swesmith_gym.sandboxes.base import Sandbox
from swesmith_gym.tasks import sealing
from swesmith_gym.tasks import tree as trees

Grading = Literal["full"]
"""`full`: the whole suite is run."""

ATTEMPTS = 3
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


class _CannotBeLaid(Exception):
    """The submission's files do not fit into a tree; the text says which."""


def grade(task: TaskInstance, submission: Submission, testbed: Testbed, *, grading: Grading = "full") -> Verdict:
    """What `submission` is worth. Never raises for anything that a submission can cause.

    A run that does not come to its end (the sandbox died, the time or the memory ran out, the report is torn) is tried
    again on a fresh sandbox, and so is one in which nothing failed but tests that measure time. If it never ends while
    a control run of the pristine tree does, the submission is the cause: unresolved where it was only too slow, a
    violation else. So it is where tests that must fail did not (`tampering`), though they do in the control, and where
    code looks at the tests that run it. Raises: GradingFault (the control fails too, or this host starts no sandbox),
    SandboxUnsupported.
    """
    del grading  # one kind so far
    if not testbed.backend.capabilities().isolates:
        raise SandboxUnsupported(
            f"{testbed.backend.name}: grading needs network and process isolation; if this machine is itself a sandbox "
            "with nothing else in it, say so with --trust-outer-sandbox"
        )
    started = time.monotonic()
    needed = required(task, testbed)
    if submission.violation:
        return _violation(task, needed, submission.violation)
    watch = Watch.over(testbed, needed.fail_to_pass)
    changes = _changes(task, submission, testbed)
    try:
        report, ends = _run_to_its_end(
            testbed, changes, watch, lambda report: _slowed(decide(task, needed, report), testbed)
        )
    except _CannotBeLaid as error:
        return _violation(task, needed, f"the submission cannot be laid over the tree: {error}")
    verdict = decide(task, needed, report) if report else _violation(task, needed, "")
    wrong = dict(watch.suspicions(report, resolved=verdict.resolved)) if report else {}
    if wrong or not _whole(report):
        usual = watch.suspicions(_control(task, testbed, watch), resolved=True)
        wrong = {about: text for about, text in wrong.items() if about not in usual}
    if not _whole(report) and not (report and report.timed_out):
        verdict = replace(verdict, resolved=False, violation=f"the tests never came to their end: {'; '.join(ends)}")
    if wrong:
        verdict = _violation(task, needed, f"the tests were tampered with: {min(wrong.values())}")
    if verdict.resolved and (seen := _looks_at_tests(submission, testbed)):
        verdict = _violation(task, needed, f"the code looks at the tests that run it: {seen[0]}")
    return replace(verdict, patch_exists=bool(submission.changes), duration_s=time.monotonic() - started)


def _whole(report: TestReport | None) -> bool:
    """The runner said its own end, or said that nothing can be collected."""
    return report is not None and (report.finished or "" in report.broken_modules)


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


def _run_to_its_end(
    testbed: Testbed, changes: tuple[FileChange, ...], watch: Watch, slowed: Callable[[TestReport], bool]
) -> tuple[TestReport | None, list[str]]:
    """The first report that is whole and not `slowed`, else the last one, and how the runs ended that were not."""
    report, ends = None, []
    for _ in range(ATTEMPTS):
        try:
            report = _run(testbed, changes, watch)
        except SandboxDied as death:
            ends.append(f"the sandbox died ({death})")
            continue
        if report.timed_out:  # the control run tells whether the host was too slow
            break
        if not _whole(report):
            ends.append(f"exit code {report.exit_code}, report torn")
        elif not slowed(report):
            break
    return report, ends


def _changes(task: TaskInstance, submission: Submission, testbed: Testbed) -> tuple[FileChange, ...]:
    """Everything that differs from the pristine tree: the bug, then the agent's changes off the test surface."""
    changes = {c.path: c for c in testbed.changes(sealing.buggy_files(testbed.pristine, task.bug_patch))}
    changes |= {c.path: c for c in submission.changes if not testbed.on_surface(c.path)}
    return tuple(
        c for c in changes.values() if testbed.pristine.get(c.path) != (None if c.data is None else (c.mode, c.data))
    )


def _run(testbed: Testbed, changes: tuple[FileChange, ...], watch: Watch) -> TestReport:
    with _start(testbed) as sandbox:
        try:
            sandbox.apply((*changes, *watch.changes))
        except SandboxDied:
            raise
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise GradingFault(f"the disk is full: {error}") from error
            raise _CannotBeLaid(str(error)) from error
        apart = watch.canaries.apart
        return run_tests(sandbox, testbed.language, testbed.image.test, apart=apart, timeout_s=testbed.time_limit_s)


def _start(testbed: Testbed) -> Sandbox:
    try:
        return testbed.start()
    except SandboxDied:
        raise
    except (SandboxUnavailable, OSError) as error:
        raise GradingFault(f"no sandbox starts on this host: {error}") from error


def _control(task: TaskInstance, testbed: Testbed, watch: Watch) -> TestReport:
    """Run the pristine tree, with nothing but the canaries in it.

    Raises: GradingFault (it does not come to its end either: the host is the cause).
    """
    try:
        report = _run(testbed, (), watch)
    except SandboxDied as again:
        raise GradingFault(f"{task.instance_id}: the pristine tree cannot be graded either: {again}") from again
    if not report.finished:
        raise GradingFault(f"{task.instance_id}: the suite does not come to its end on the pristine tree either")
    return report


def _violation(task: TaskInstance, needed: Required, text: str) -> Verdict:
    return Verdict(
        instance_id=task.instance_id,
        resolved=False,
        f2p_failure=needed.fail_to_pass,
        p2p_failure=needed.pass_to_pass,
        violation=text,
        drifted=needed.drifted,
    )
