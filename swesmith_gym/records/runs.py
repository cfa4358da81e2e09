"""How tests are run, and what a run of them, or of any command, was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What one test did in one run."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"


BROKEN = frozenset({Outcome.FAILED, Outcome.ERROR})


@dataclass(frozen=True, slots=True)
class TestSetup:
    """How a repository's tests are run: everything that the one runner command needs to know."""

    __test__ = False

    args: tuple[str, ...] = ()
    """Extra arguments of the runner, in order (for Python: of pytest, after ours)."""
    paths: tuple[str, ...] = ()
    """Files or folders to collect from, relative to the work tree; empty: what the configuration says."""
    plugins: tuple[str, ...] = ()
    """Runner plug-ins that the repository needs, by import name; no other is loaded."""
    ignored_args: tuple[str, ...] = ()
    """Arguments of the repository's own configuration that are taken out (coverage, parallel runs)."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the run, over the fixed ones."""
    timeout_s: float = 300.0
    """Limit for one run of the whole suite, in seconds."""


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test in one run."""

    __test__ = False

    outcome: Outcome
    duration_s: float = 0.0
    """Set-up, call and tear-down together, in seconds."""
    message: str = ""
    """The end of the failure's text, capped; empty for a test that passed."""
    brief: bool = False
    """The message is the error alone: others had failed before, and were told at length."""


@dataclass(frozen=True, slots=True)
class TestReport:
    """One run of a test suite: what ran, and whether the run itself went well, kept apart."""

    __test__ = False

    results: Mapping[str, TestResult]
    """Exact test id -> result, in the order of the run."""
    collected: tuple[str, ...]
    """Every id that was collected, whether or not it ran, in order."""
    broken_modules: Mapping[str, str]
    """Files that could not be collected (relative path, or `` for all of them) -> the error's text, capped."""
    finished: bool
    """The runner came to its own end: not killed, not out of time, report whole."""
    exit_code: int | None
    """The runner's exit code; None where it was killed."""
    timed_out: bool
    """The time limit ended it."""
    duration_s: float
    """Wall time of the run, in seconds."""
    log: str = ""
    """The end of what it printed, for people; nothing is decided by it."""
    slow: str = ""
    """The test that went over its limit of processor time and thereby ended the run (`timed_out`)."""


@dataclass(frozen=True, slots=True)
class ExecResult:
    """One command's end. Output is bytes: nothing that ran chooses how it is decoded."""

    exit_code: int | None
    """None where a signal from us ended it; 128 + n where signal n of its own did."""
    stdout: bytes
    stderr: bytes
    duration_s: float
    timed_out: bool = False
    oom_killed: bool = False
    output_truncated: bool = False
    """The middle of stdout or stderr was dropped: head and tail are kept."""
