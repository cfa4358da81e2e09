"""The reward without an episode: what a patch of the agent's tree is worth."""

from __future__ import annotations

from dataclasses import replace

from swesmith_gym import harness
from swesmith_gym.envs.arguments import check_choices
from swesmith_gym.envs.testbeds import prepare_unwritten
from swesmith_gym.errors import PatchDoesNotApply
from swesmith_gym.harness.grade import Grading
from swesmith_gym.harness.impact import Impact
from swesmith_gym.harness.submission import from_patch
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import Submission, TaskInstance, Verdict
from swesmith_gym.repos import impacts


def grade(task: TaskInstance, model_patch: str, *, sandbox: str = "auto", grading: Grading = "full") -> Verdict:
    """Grade a unified diff of the tree that `reset` shows. An empty patch is a valid submission.

    A patch that does not apply is unresolved, with `patch_applied=False`. `grading`: `impacted` leaves out test files
    that the patch cannot reach, where the repository's impact map is built. Raises: InputError, GradingFault,
    SandboxUnavailable, SandboxUnsupported, ProfileError, TaskTableError.
    """
    check_choices(grading=grading)
    prepared = prepare_unwritten(task, backend=sandbox)
    try:
        submission = from_patch(model_patch, prepared.sealed.tree)
    except PatchDoesNotApply as error:
        refused = harness.grade(task, Submission(violation=str(error)), prepared.testbed)
        return replace(refused, violation="", patch_applied=False)
    return harness.grade(task, submission, prepared.testbed, impact=impact_for(grading, prepared.testbed))


def impact_for(grading: Grading, testbed: Testbed) -> Impact | None:
    """What `harness.grade` needs for this kind of grading."""
    return impacts.load(testbed) if grading == "impacted" else None
