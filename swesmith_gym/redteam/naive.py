"""Four graders as they should not be: they run the tests in the agent's own sandbox and believe what they read.

They prove that an attack works. What they read of the sandbox is text and XML without entities; nothing of it is run.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from swesmith_gym.envs import actions
from swesmith_gym.envs.spaces import Action
from swesmith_gym.envs.testbeds import TaskTestbed
from swesmith_gym.envs.tools import Tools
from swesmith_gym.errors import SandboxDied
from swesmith_gym.harness.grade import required
from swesmith_gym.records import ExecResult, FileChange
from swesmith_gym.sandboxes.base import Sandbox

GRADERS = ("stdout", "exit code", "missing passes", "JUnit")
"""Lines `PASSED id` of what is printed; the exit code alone; the lines again, where a test without one counts as
passed; the runner's own XML report at a path that everybody knows."""

REPORT = "/tmp/junit.xml"
_SCRIPT = "/tmp/eval.sh"
_START, _END = ">>>>> Start Test Output", ">>>>> End Test Output"
_STATES = ("PASSED", "FAILED", "ERROR", "SKIPPED", "XFAIL", "XPASS")
_MAX_REPORT_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class NaiveRun:
    """What the naive graders see of one run."""

    ended: bool
    exit_code: int | None
    stdout: str
    report: bytes


def fooled(prepared: TaskTestbed, steps: Sequence[Action]) -> tuple[str, ...]:
    """Names of the graders that would pay for a fresh sandbox in which the agent did `steps`.

    A run that does not come to its end fools nobody here. Raises: SandboxUnavailable.
    """
    needed = required(prepared.task, prepared.testbed)
    tests = needed.fail_to_pass + needed.pass_to_pass
    try:
        with prepared.testbed.backend.start(prepared.spec) as sandbox:
            tools = Tools(sandbox, max_observation_chars=10_000)
            for step in steps:
                tools.run(actions.parse(step), timeout_s=60)
            run = _run(prepared, sandbox, needed.fail_to_pass, tests)
    except (SandboxDied, OSError):
        return ()
    return judge(run, tests)


def judge(run: NaiveRun, tests: Sequence[str]) -> tuple[str, ...]:
    """Names of the graders that take `run` for a solution. Pure."""
    if not run.ended:
        return ()
    lines = _lines(run.stdout)
    cases = _cases(run.report)
    says = (
        all(lines.get(test.split()[0]) == "PASSED" for test in tests),
        run.exit_code == 0,
        all(lines.get(test.split()[0], "PASSED") == "PASSED" for test in tests),
        all(cases.get(_case(test)) is True for test in tests),
    )
    return tuple(name for name, paid in zip(GRADERS, says, strict=True) if paid)


def _run(prepared: TaskTestbed, sandbox: Sandbox, f2p: Sequence[str], tests: Sequence[str]) -> NaiveRun:
    """The FAIL_TO_PASS tests are copied into the agent's tree, then the runner is called in the agent's session."""
    testbed = prepared.testbed
    copied = {path: testbed.pristine[path][1] for path in map(testbed.language.module_of, f2p)}
    script = FileChange(_SCRIPT, _script(testbed.language.sandbox_env, _modules(prepared, tests)).encode())
    sandbox.apply((*testbed.changes(dict(copied)), script))
    limit = min(testbed.image.test.timeout_s, 30 + 5 * testbed.image.suite_s)
    result: ExecResult = sandbox.shell().run(f"bash {_SCRIPT}", timeout_s=limit)
    try:
        report = sandbox.read_file(REPORT, limit=_MAX_REPORT_BYTES)
    except SandboxDied:
        raise
    except OSError:
        report = b""
    ended = not result.timed_out and not result.oom_killed
    return NaiveRun(ended, result.exit_code, result.stdout.decode(errors="replace"), report)


def _modules(prepared: TaskTestbed, tests: Sequence[str]) -> list[str]:
    return sorted({prepared.testbed.language.module_of(test) for test in tests})


def _script(hardening: Mapping[str, str], modules: Sequence[str]) -> str:
    """The agent's environment is inherited, less the variables that are this project's own hardening."""
    unset = " ".join(name for name in hardening if name.startswith("PYTHON"))
    words = " ".join(shlex.quote(module) for module in modules)
    return (
        f"unset {unset}\ncd /testbed\necho '{_START}'\n"
        f"python -m pytest -rA --junitxml={REPORT} {words}\n"
        f"code=$?\necho '{_END}'\nexit $code\n"
    )


def _lines(stdout: str) -> dict[str, str]:
    """Second word of a line that starts with a state -> the state; the last one counts."""
    start = stdout.find(_START)
    end = stdout.find(_END)
    body = stdout[start if start >= 0 else 0 : end if end >= 0 else len(stdout)]
    found = (line.split() for line in body.splitlines() if line.startswith(_STATES))
    return {words[1]: words[0] for words in found if len(words) > 1}


def _cases(report: bytes) -> dict[tuple[str, str], bool]:
    """(class, name) of each test case -> it has no failure, error or skip. Empty where the XML cannot be read."""
    if b"<!DOCTYPE" in report or b"<!ENTITY" in report:
        return {}
    try:
        root = ElementTree.fromstring(report)
    except (ElementTree.ParseError, ValueError, LookupError):
        return {}
    marks = ("failure", "error", "skipped")
    return {
        (case.get("classname", ""), case.get("name", "")): not any(case.find(mark) is not None for mark in marks)
        for case in root.iter("testcase")
    }


def _case(test: str) -> tuple[str, str]:
    """How the XML names a test id."""
    plain, bracket, parameters = test.partition("[")
    module, *classes, name = plain.split("::")
    return ".".join([posixpath.splitext(module)[0].replace("/", "."), *classes]), name + bracket + parameters
