"""The public names. A change of this list is a change of the interface: it belongs into the change log."""

from __future__ import annotations

import swesmith_gym
from swesmith_gym import errors, wrappers

PUBLIC = [
    "BugFixEnv",
    "Completion",
    "LM",
    "LMSettings",
    "Request",
    "ScriptedLM",
    "TaskTable",
    "__version__",
    "connect",
    "errors",
    "grade",
    "make_vec",
    "register_tasks",
    "starter_tasks",
]

ERRORS = {
    "BudgetExhausted",
    "CandidateRejected",
    "ContextExceeded",
    "GradingFault",
    "InputError",
    "LMError",
    "PatchDoesNotApply",
    "ProfileError",
    "SandboxDied",
    "SandboxError",
    "SandboxUnavailable",
    "SandboxUnsupported",
    "SweSmithGymError",
    "TaskNotFound",
    "TaskTableError",
}

WRAPPERS = ["ParseToolCalls", "RecordTrajectory", "ShapedReward", "StripAnsi", "TruncateObservation", "strip_ansi"]


def test_the_package_exports_exactly_these() -> None:
    assert sorted(swesmith_gym.__all__) == PUBLIC


def test_every_exported_name_is_there() -> None:
    for name in [*swesmith_gym.__all__]:
        assert getattr(swesmith_gym, name) is not None
    assert [name for name in wrappers.__all__ if not hasattr(wrappers, name)] == []


def test_the_error_tree_and_the_wrappers_are_exactly_these() -> None:
    found = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert found == ERRORS
    assert sorted(wrappers.__all__) == WRAPPERS


def test_every_error_is_drawn_at_the_top_of_its_module() -> None:
    assert errors.__doc__ is not None
    assert [name for name in ERRORS if name not in errors.__doc__] == []
