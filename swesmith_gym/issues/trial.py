"""A reproduction put to the test: it has to fail with the bug, and to come to its end without.

It is untrusted code. It runs in sandboxes only, without a network, each time in a fresh one.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from swesmith_gym.errors import PatchDoesNotApply, SandboxDied
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.issues.facts import scrubbed
from swesmith_gym.issues.text import cleaned, shortened
from swesmith_gym.records import ExecResult, TaskInstance
from swesmith_gym.tasks import sealing

PRISTINE_S = 20.0
"""A reproduction has to end within so many seconds where there is no bug."""
BUGGY_S = 2 * PRISTINE_S
"""With the bug, one that has not ended by then has failed: not because the host was a little slower this time."""
ROUNDS = 2
"""How often both are run: what hangs on chance tells nothing."""
SAID_CHARS = 1200

_log = logging.getLogger("swesmith_gym")


@dataclass(frozen=True, slots=True)
class Trial:
    """How a reproduction did."""

    fault: str = ""
    """A reason of `faults.WORDS`; empty: it shows the bug, and nothing but the bug."""
    said: str = ""
    """The end of what the run printed that shows the fault."""


def run(testbed: Testbed, task: TaskInstance, code: str) -> Trial:
    """Try `code` on both trees. The files of the FAIL_TO_PASS tests are on neither: an agent is not shown them.

    Raises: SandboxUnavailable, SandboxUnsupported.
    """
    language = testbed.language
    hidden: dict[str, bytes | None] = dict.fromkeys(sorted(map(language.module_of, task.FAIL_TO_PASS)))
    try:
        bug = sealing.buggy_files(testbed.pristine, task.bug_patch)
    except PatchDoesNotApply:
        return Trial("patch_does_not_apply")
    try:
        for number in range(ROUNDS):
            without = _once(testbed, hidden, code, PRISTINE_S)
            if not _ended_well(without):
                return Trial(_of_pristine(without) if number == 0 else "reproduction_varies", _said(without))
            with_bug = _once(testbed, {**hidden, **bug}, code, BUGGY_S)
            if _ended_well(with_bug):
                return Trial("passes_with_bug" if number == 0 else "reproduction_varies", _said(with_bug))
            if with_bug.timed_out:
                break
    except SandboxDied as error:
        _log.warning("%s: a reproduction could not be run: %s", task.instance_id, error)
        return Trial("sandbox_died")
    return Trial()


def _once(testbed: Testbed, files: Mapping[str, bytes | None], code: str, limit_s: float) -> ExecResult:
    """One run in a fresh sandbox; again in another where that one died. Raises: SandboxDied."""
    try:
        return _in_a_sandbox(testbed, files, code, limit_s)
    except SandboxDied:
        return _in_a_sandbox(testbed, files, code, limit_s)


def _in_a_sandbox(testbed: Testbed, files: Mapping[str, bytes | None], code: str, limit_s: float) -> ExecResult:
    command = testbed.language.script(testbed.image.test, code)
    with testbed.start(dict(files)) as sandbox:
        return sandbox.run(command.command, timeout_s=limit_s, env=command.env, stdin=command.stdin)


def _ended_well(result: ExecResult) -> bool:
    return result.exit_code == 0 and not result.timed_out and not result.oom_killed


def _of_pristine(result: ExecResult) -> str:
    return "hangs_without_bug" if result.timed_out else "fails_without_bug"


def _said(result: ExecResult) -> str:
    """What tells most stands last, on stderr."""
    text = (result.stdout[-SAID_CHARS:] + b"\n" + result.stderr[-2 * SAID_CHARS :]).decode(errors="replace")
    return scrubbed(shortened(cleaned(text), SAID_CHARS)).strip()
