"""The frozen records that cross the borders between stages.

Plain data: typed, comparable, picklable, no behaviour but conversions and content ids: what acts on them lives with the
stage that does it. A string under a field says what it holds, with its unit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

REJECTION_REASONS = frozenset(
    {
        "all_tests_broken", "breaks_too_much", "collection_error", "crash", "duplicate", "equivalent", "flaky",
        "no_failing_test", "patch_does_not_apply", "sandbox_error", "sealing_failed", "syntax_error", "timeout",
        "touches_tests",
    }
)  # fmt: skip


class Outcome(StrEnum):
    """What one test did in one run."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"


BROKEN = frozenset({Outcome.FAILED, Outcome.ERROR})


def content_id(*parts: Any) -> str:
    """SHA-256 (64 hex digits) over the JSON form of all parts: equal content, equal id."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return value.hex() if isinstance(value, bytes) else asdict(value)


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
class RepoProfile:
    """One repository at one version, and how it is installed and tested. Quirks are data here."""

    name: str
    """Short name, unique among profiles: letters, digits, `-`, `_`, `.`."""
    source: str
    """`pypi:NAME==VERSION`, `git+URL@COMMIT`, or `local:FOLDER`."""
    source_hash: str
    """SHA-256 of the archive (pypi), the commit (git), or of the tree's content (local)."""
    language: str = "python"
    """Name of the language folder that understands it."""
    interpreter: str = ""
    """Version of the language's interpreter, e.g. `3.11`."""
    requirements: tuple[str, ...] = ()
    """What must be installed beside the repository: its dependencies, build and test tools (PEP 508)."""
    install: tuple[str, ...] = ()
    """Shell commands that install the repository itself, run in the work tree with the environment active."""
    test: TestSetup = TestSetup()
    """How its tests run."""
    license: str = ""
    """SPDX expression or the licence's name, as its metadata gives it."""
    quarantine: Mapping[str, str] = field(default_factory=dict)
    """Tests that never count: exact id -> reason."""
    approved: bool = False
    """A person has looked at what was detected and at the baseline."""


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
class EnvImage:
    """A built, sealed environment of one repository. Its files lie in the image store under `key`."""

    key: str
    """`NAME-FINGERPRINT12`: the folder's name in the image store."""
    repo: str
    """Name of the profile that it was built from."""
    language: str
    """As in the profile."""
    fingerprint: str
    """Content id over root file system, interpreter version, lock, source and runner version."""
    root_fs: str
    """`host`, or the id of a portable root file system: its origin and digest."""
    interpreter_version: str
    """Full version, e.g. `3.11.2`."""
    interpreter_prefix: str
    """Folder of the base interpreter on the host; empty where it lies below `/usr`."""
    lock_hash: str
    """SHA-256 of the lock file."""
    source: str
    """As in the profile."""
    license: str
    """As in the profile."""
    test: TestSetup
    """As in the profile, completed at build."""
    surface: tuple[str, ...]
    """Files of the test surface, relative paths, sorted."""
    surface_roots: tuple[str, ...]
    """Folders that hold tests only: a file that appears below one belongs to the surface."""
    baseline: Mapping[str, TestResult]
    """Test id -> result on the pristine tree; durations are the median over runs."""
    quarantined: Mapping[str, str]
    """Test ids that never count -> reason: one of `repos.baseline.Baseline`, or `profile`."""
    suite_s: float
    """Median wall time of one run of the whole suite, in seconds."""
    pass_rates: Mapping[str, float] = field(default_factory=dict)
    """Test id -> share of the baseline's runs that it passed in, for tests that passed in some and not in all."""


@dataclass(frozen=True, slots=True)
class CodeEntity:
    """A function, method or class of a repository: where it is and what it contains."""

    path: str
    """File, relative to the work tree."""
    name: str
    """Qualified name inside the file, e.g. `Parser.feed`."""
    kind: str
    """`function` or `class`."""
    start: int
    """First line, counted from 1, decorators included."""
    end: int
    """Last line, inclusive."""
    complexity: int
    """Branches, loops, boolean and comparison operations, plus one."""
    tags: frozenset[str]
    """What it contains, e.g. `loop`, `if_else`, `binary_op`: the operators' conditions."""


@dataclass(frozen=True, slots=True)
class BugCandidate:
    """A proposed bug: a patch of the pristine tree that has not been shown to break a test."""

    repo: str
    strategy: str
    """`procedural`, `lm_modify`, `lm_rewrite`, `combine_file`, `combine_module` or `pr_mirror`."""
    operator: str | None
    """The syntax-tree operator, for `procedural`."""
    bug_patch: str
    """Unified diff, `a/` and `b/` prefixes, from the pristine to the buggy tree; kept byte for byte."""
    explanation: str = ""
    """What the bug is, for people and for issue writers; never shown to an agent."""
    seed: int = 0
    cost_usd: float | None = 0.0
    """What making it cost, in US dollars; None: unknown."""
    candidate_id: str = ""
    """Content id over repo and bug_patch unless the input brought its own."""


@dataclass(frozen=True, slots=True)
class Validation:
    """What a candidate did to the tests. The lists are sorted and share no id."""

    fail_to_pass: tuple[str, ...]
    """Passed on the pristine tree, fail or error with the bug."""
    pass_to_pass: tuple[str, ...]
    """Pass on both."""
    lost: tuple[str, ...]
    """Passed before, skipped or vanished with the bug: counted nowhere."""
    messages: Mapping[str, str]
    """FAIL_TO_PASS id -> the end of its failure text; empty where that is only brief."""
    pass_rates: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Test that failed at first -> share of its later runs that passed, with the bug and without; empty: none ran."""


@dataclass(frozen=True, slots=True)
class RejectedCandidate:
    """A candidate that became no task, and why."""

    candidate: BugCandidate
    reason: str
    """One of REJECTION_REASONS."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TaskQuality:
    """What a bug is like as a task. None: not known."""

    broken_share: float | None = None
    """Share of the passing tests that it breaks."""
    edited_lines: int | None = None
    """Lines taken out and put in."""
    edited_files: int | None = None
    edited_hunks: int | None = None
    depth: int | None = None
    """Calls of the repository's code between a FAIL_TO_PASS test and the changed code: the median over the tests."""
    names_function: bool | None = None
    """A failure's text says the name of a function that was changed."""
    difficulty: float | None = None
    """Estimate from 0 to 1, from all of these (`harness.quality`)."""


@dataclass(frozen=True, slots=True)
class TaskInstance:
    """A validated bug with everything that an episode needs. One row of a task table."""

    instance_id: str
    """`REPO__HASH12`: opaque, matches `[A-Za-z0-9_.-]+`."""
    repo: str
    image_key: str
    fingerprint: str
    """Of the image that it was validated under."""
    strategy: str
    operator: str | None
    bug_patch: str
    gold_patch: str
    """The reverse of bug_patch."""
    FAIL_TO_PASS: tuple[str, ...]
    PASS_TO_PASS: tuple[str, ...]
    problem_statement: str
    language: str
    explanation: str
    seed: int
    cost_usd: float | None
    created_at: str
    """ISO 8601, UTC, from the run's configuration: equal runs give equal bytes."""
    repo_source: str
    repo_license: str
    sealed_digest: str
    """Content id of the tree that the agent sees (tests hidden by function), git folder aside."""
    hidden_tests: tuple[str, ...] = ()
    """Ids that are not in the agent's tree because what defines them was removed."""
    lost: tuple[str, ...] = ()
    failure_excerpt: str = ""
    """The end of one FAIL_TO_PASS test's failure text, for issue writers; never shown to an agent."""
    quality: TaskQuality = TaskQuality()
    """In a table, a column for each of its fields."""
    reruns: int | None = None
    """How often the FAIL_TO_PASS tests were run again, with the bug (none passed) and without it (all did)."""


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


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a tree as a manifest lists it."""

    mode: int
    """`0o644`, `0o755`, or `0o120000` for a symbolic link."""
    size: int
    """Bytes."""
    sha256: str
    """Of the content; of the target's bytes for a link."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file as an agent left it. `data` None: deleted."""

    path: str
    data: bytes | None
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Submission:
    """An agent's work: typed file changes on the sealed tree. Sorted by path."""

    changes: tuple[FileChange, ...] = ()
    violation: str = ""
    """Set where the tree broke a rule (a cap, a link, a device): the submission is worth 0."""
    model_patch: str = ""
    """The same as a unified diff where it can be said as text, for people and exports."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What grading found. Exactly one of three kinds: a verdict, a violation or a fault."""

    instance_id: str
    resolved: bool
    f2p_success: tuple[str, ...] = ()
    f2p_failure: tuple[str, ...] = ()
    p2p_success: tuple[str, ...] = ()
    p2p_failure: tuple[str, ...] = ()
    patch_exists: bool = True
    """The submission changes something."""
    patch_applied: bool = True
    violation: str = ""
    """Caused by the submission: reward 0, valid."""
    fault: str = ""
    """Caused by the host: no reward at all."""
    drifted: int = 0
    """Required tests that the local baseline does not pass and that were left out."""
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One turn of an episode."""

    action: Any
    """`str` (a shell command) or a tool call (`dict`)."""
    observation: str
    reward: float
    terminated: bool
    truncated: bool
    info: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One episode from reset to verdict."""

    trajectory_id: str
    instance_id: str
    agent: str
    seed: int
    observation: str
    """What reset showed."""
    steps: tuple[Step, ...]
    reward: float
    reward_valid: bool
    resolved: bool
    model_patch: str
    info: Mapping[str, Any] = field(default_factory=dict)
