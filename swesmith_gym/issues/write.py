"""Problem statements for tasks: a writer for each mode, and what stands in for one that finds nothing to say."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from swesmith_gym.errors import InputError
from swesmith_gym.issues import facts, from_lm, from_pr, from_tests, static
from swesmith_gym.issues.leaks import without_leaks
from swesmith_gym.issues.materials import Draft, Materials
from swesmith_gym.records import TaskInstance, summed


@dataclass(frozen=True, slots=True)
class Statement:
    """A problem statement."""

    text: str
    """Markdown, its first line the title."""
    mode: str
    """As in `TaskInstance.statement_mode`."""
    cost_usd: float | None = 0.0
    """What writing it cost now, in US dollars; None: no price is known."""


def check_mode(mode: str) -> None:
    """Raises: InputError (a mode that does not exist)."""
    if mode not in MODES:
        raise InputError(f"issue mode {mode!r} does not exist: choose one of {', '.join(MODES)}")


def write(task: TaskInstance, mode: str, materials: Materials) -> Statement:
    """The statement of one task. Equal input and seed give equal text, as far as a model does.

    `mode`: `static` (the symptom alone), `tests` (with a reproduction from a FAIL_TO_PASS test), `lm` (a model writes
    it) or `pr` (what people wrote of the change). Where that finds nothing to say another one does, and the statement
    tells so.

    Raises: InputError (a mode that does not exist, or that lacks its model), BudgetExhausted, LMError (which every
    other request would meet, too), SandboxError.
    """
    check_mode(mode)
    missed: list[str] = []
    cost: float | None = 0.0
    while True:
        draft = _WRITERS[mode](task, materials)
        cost = summed((cost, draft.cost_usd))
        if not draft.missing:
            how = f"{mode}: {', '.join(missed)}" if missed else mode
            return Statement(draft.text, how, cost)
        missed.append(f"{mode}: {draft.missing}")
        mode = _INSTEAD[mode]


def _static(task: TaskInstance, materials: Materials) -> Draft:
    rng = _rng(task, "static", materials)
    found = facts.gather(task, materials.files, materials.language, rng, code=False)
    return Draft(without_leaks(static.statement(found, rng), task.gold_patch))


def _tests(task: TaskInstance, materials: Materials) -> Draft:
    rng = _rng(task, "tests", materials)
    found = facts.gather(task, materials.files, materials.language, rng, code=True)
    if not found.code:
        return Draft(missing="no_source")
    return Draft(without_leaks(from_tests.statement(found, rng, materials.language.name), task.gold_patch))


def _rng(task: TaskInstance, mode: str, materials: Materials) -> random.Random:
    return random.Random(f"{materials.seed}:{mode}:{task.instance_id}")


_WRITERS: Mapping[str, Callable[[TaskInstance, Materials], Draft]] = {
    "static": _static,
    "tests": _tests,
    "lm": from_lm.write,
    "pr": from_pr.write,
}
_INSTEAD = {"lm": "tests", "pr": "tests", "tests": "static"}
"""What stands in for a mode that finds nothing to say; `static` always has something."""
MODES = tuple(_WRITERS)
