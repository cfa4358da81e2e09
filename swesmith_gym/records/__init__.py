"""The frozen records that cross the borders between stages.

Plain data: typed, comparable, picklable, no behaviour but conversions and content ids: what acts on them lives with the
stage that does it. A string under a field says what it holds, with its unit.
"""

from __future__ import annotations

from swesmith_gym.records.bugs import (
    REJECTION_REASONS,
    BugCandidate,
    CodeEntity,
    RejectedCandidate,
    TaskInstance,
    TaskQuality,
    Validation,
)
from swesmith_gym.records.costs import summed
from swesmith_gym.records.environments import EnvImage, RepoProfile
from swesmith_gym.records.episodes import FileChange, FileEntry, Step, Submission, Trajectory, Verdict
from swesmith_gym.records.ids import content_id
from swesmith_gym.records.runs import BROKEN, ExecResult, Outcome, TestReport, TestResult, TestSetup

__all__ = [
    "BROKEN",
    "REJECTION_REASONS",
    "BugCandidate",
    "CodeEntity",
    "EnvImage",
    "ExecResult",
    "FileChange",
    "FileEntry",
    "Outcome",
    "RejectedCandidate",
    "RepoProfile",
    "Step",
    "Submission",
    "TaskInstance",
    "TaskQuality",
    "TestReport",
    "TestResult",
    "TestSetup",
    "Trajectory",
    "Validation",
    "Verdict",
    "content_id",
    "summed",
]
