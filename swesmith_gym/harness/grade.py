"""Grading: the one definition of "resolved", for rewards, evaluation and verification alike.

A submission is laid over the pristine code with the bug in it, tests are run as at validation, in a fresh sandbox with
the pristine test surface, and `decide` compares the report with what the task requires. `decide` is pure.
"""

from __future__ import annotations

import errno
import time
from dataclasses import dataclass, replace
from typing import Literal

from swesmith_gym.errors import GradingFault, SandboxDied, SandboxUnsupported
from swesmith_gym.harness.run import run_tests
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import FileChange, Outcome, Submission, TaskInstance, TestReport, Verdict
from swesmith_gym.tasks import sealing

Grading = Literal["full"]
"""`full`: the whole suite is run."""

ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Required:
    """The tests that decide, after those that do not pass on this host's baseline were left out."""

    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]
    drifted: int = 0
    """How many were left out."""


def required(task: TaskInstance, testbed: Testbed) -> Required:
    """What `task` asks for on this testbed. Under the fingerprint that it was validated with, that is everything.

    Raises: GradingFault (drift left no FAIL_TO_PASS test).
    """
    if task.fingerprint == testbed.image.fingerprint:
        return Required(task.FAIL_TO_PASS, task.PASS_TO_PASS)
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


def grade(task: TaskInstance, submission: Submission, testbed: Testbed, *, grading: Grading = "full") -> Verdict:
    """What `submission` is worth. Never raises for anything that a submission can cause.

    A sandbox that dies is tried again; if it dies every time while a control run of the pristine tree goes well,
    the submission killed it: a violation. Raises: GradingFault (the control fails too), SandboxUnsupported,
    SandboxUnavailable.
    """
    del grading  # one kind so far
    capabilities = testbed.backend.capabilities()
    if not capabilities.isolates:
        raise SandboxUnsupported(f"{testbed.backend.name}: grading needs network and process isolation")
    started = time.monotonic()
    needed = required(task, testbed)
    if submission.violation:
        return _violation(task, needed, submission.violation)
    changes = _changes(task, submission, testbed)
    for attempt in range(ATTEMPTS):
        try:
            verdict = decide(task, needed, _run(testbed, changes))
        except SandboxDied as death:
            if attempt == ATTEMPTS - 1:
                _control(task, testbed, death)
                return _violation(task, needed, f"the sandbox died in every one of {ATTEMPTS} gradings: {death}")
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise GradingFault(f"{task.instance_id}: the disk is full: {error}") from error
            return _violation(task, needed, f"the submission cannot be laid over the tree: {error}")
        else:
            return replace(verdict, patch_exists=bool(submission.changes), duration_s=time.monotonic() - started)
    raise AssertionError("unreachable")


def _changes(task: TaskInstance, submission: Submission, testbed: Testbed) -> tuple[FileChange, ...]:
    """Everything that differs from the pristine tree: the bug, then the agent's changes off the test surface."""
    changes = {c.path: c for c in testbed.changes(sealing.buggy_files(testbed.pristine, task.bug_patch))}
    changes |= {c.path: c for c in submission.changes if not testbed.on_surface(c.path)}
    return tuple(
        c for c in changes.values() if testbed.pristine.get(c.path) != (None if c.data is None else (c.mode, c.data))
    )


def _run(testbed: Testbed, changes: tuple[FileChange, ...]) -> TestReport:
    with testbed.start() as sandbox:
        sandbox.apply(changes)
        return run_tests(sandbox, testbed.language, testbed.image.test, timeout_s=testbed.time_limit_s)


def _control(task: TaskInstance, testbed: Testbed, death: SandboxDied) -> None:
    try:
        report = _run(testbed, ())
    except SandboxDied as again:
        raise GradingFault(f"{task.instance_id}: the pristine tree cannot be graded either: {again}") from death
    if not report.finished:
        raise GradingFault(f"{task.instance_id}: the suite does not end on the pristine tree either") from death


def _violation(task: TaskInstance, needed: Required, text: str) -> Verdict:
    return Verdict(
        instance_id=task.instance_id,
        resolved=False,
        f2p_failure=needed.fail_to_pass,
        p2p_failure=needed.pass_to_pass,
        violation=text,
        drifted=needed.drifted,
    )
