"""From a piece of code to a bug that was proposed, a task that was made of it, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from swesmith_gym.records.ids import content_id

REJECTION_REASONS = frozenset(
    {
        "all_tests_broken", "breaks_too_much", "collection_error", "crash", "duplicate", "equivalent", "flaky",
        "lm_error", "no_code", "no_failing_test", "no_source", "outside_entity", "part_without_effect",
        "patch_does_not_apply", "placeholder", "reveals_bug", "sandbox_error", "sealing_failed", "syntax_error",
        "timeout", "too_large", "touches_tests", "unchanged",
    }
)  # fmt: skip


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
    """What the strategy did in particular: the syntax-tree operator of `procedural`, the prompt of `lm_modify`."""
    bug_patch: str
    """Unified diff, `a/` and `b/` prefixes, from the pristine to the buggy tree; kept byte for byte."""
    explanation: str = ""
    """What the bug is, for people and for issue writers; never shown to an agent."""
    seed: int = 0
    cost_usd: float | None = 0.0
    """What making it cost, in US dollars; None: unknown."""
    candidate_id: str = ""
    """Content id over repo and bug_patch (16 hex digits) unless the input brought its own."""
    model: str = ""
    """Language model that wrote it; empty: none did."""
    original_text: str = ""
    """What people wrote of the change that it takes back: a commit's message, a patch's description."""
    parts: tuple[tuple[str, ...], ...] = ()
    """FAIL_TO_PASS of each bug that it combines: of every one, a test has to fail with all of them together, too."""

    def identified(self) -> BugCandidate:
        """The same with an id, where it has none."""
        return self if self.candidate_id else replace(self, candidate_id=content_id(self.repo, self.bug_patch)[:16])


@dataclass(frozen=True, slots=True)
class RejectedCandidate:
    """A candidate that became no task, and why."""

    candidate: BugCandidate
    reason: str
    """One of REJECTION_REASONS."""
    detail: str = ""


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
    model: str = ""
    """Language model that wrote the bug; empty: none did."""
    original_text: str = ""
    """As in `BugCandidate`; never shown to an agent but as the problem statement."""
    statement_mode: str = ""
    """How the problem statement was written (`static`, `tests`, `lm`, `pr`) and, where another way had been asked for,
    a colon and the reason. Empty: not known."""
    reruns: int | None = None
    """How often the FAIL_TO_PASS tests were run again, with the bug (none passed) and without it (all did)."""
