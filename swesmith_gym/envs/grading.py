"""The reward without an episode: what a patch of the agent's tree is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from swesmith_gym import harness
from swesmith_gym.envs.arguments import check_choices
from swesmith_gym.envs.testbeds import prepare_unwritten
from swesmith_gym.errors import PatchDoesNotApply
from swesmith_gym.harness.attempts import Bench
from swesmith_gym.harness.grade import Grading
from swesmith_gym.harness.impact import Impact
from swesmith_gym.harness.submission import from_patch
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import Submission, TaskInstance, Verdict
from swesmith_gym.repos import impacts


def grade(
    task: TaskInstance,
    model_patch: str,
    *,
    sandbox: str = "auto",
    grading: Grading = "full",
    bench: Callable[[Testbed], Bench] = Bench,
) -> Verdict:
    """Grade a unified diff of the tree that `reset` shows. An empty patch is a valid submission.

    A patch that does not apply is unresolved, with `patch_applied=False`. `grading`: `impacted` leaves out test files
    that the patch cannot reach, where the repository's impact map is built. `bench`: where it is run, if not in fresh
    sandboxes, which any patch that somebody else has written needs. Raises: InputError, GradingFault,
    SandboxUnavailable, SandboxUnsupported, ProfileError, TaskTableError.
    """
    check_choices(grading=grading)
    prepared = prepare_unwritten(task, backend=sandbox)
    try:
        submission = from_patch(model_patch, prepared.sealed.tree)
    except PatchDoesNotApply as error:
        refused = harness.grade(task, Submission(violation=str(error)), prepared.testbed)
        return replace(refused, violation="", patch_applied=False)
    testbed = prepared.testbed
    return harness.grade(task, submission, testbed, impact=impact_for(grading, testbed), bench=bench(testbed))


def impact_for(grading: Grading, testbed: Testbed) -> Impact | None:
    """What `harness.grade` needs for this kind of grading."""
    return impacts.load(testbed) if grading == "impacted" else None
