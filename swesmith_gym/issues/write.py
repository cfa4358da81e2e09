"""Problem statements for tasks, without a language model: free, deterministic, and silent about the fix."""

from __future__ import annotations

import random

from swesmith_gym.errors import InputError
from swesmith_gym.issues import facts, from_tests, static
from swesmith_gym.issues.leaks import without_leaks
from swesmith_gym.languages.base import Files, Language
from swesmith_gym.records import TaskInstance

MODES = ("static", "tests")
LATER = ("lm", "pr")


def write(task: TaskInstance, *, mode: str, test_files: Files, language: Language, seed: int = 0) -> str:
    """The statement of one task, Markdown, its first line the title. Equal input and seed give equal text.

    `mode`: `static` (the symptom alone) or `tests` (with a reproduction from a FAIL_TO_PASS test).
    `test_files`: the pristine tree's test files, whole; a reproduction is cut from them.

    Raises: InputError (a mode that does not exist).
    """
    if mode not in MODES:
        known = f"choose one of {', '.join(MODES)}"
        why = "is not available in this version" if mode in LATER else "does not exist"
        raise InputError(f"issue mode {mode!r} {why}: {known}")
    rng = random.Random(f"{seed}:{mode}:{task.instance_id}")
    found = facts.gather(task, test_files, language, rng, code=mode == "tests")
    text = from_tests.statement(found, rng, language.name) if mode == "tests" else static.statement(found, rng)
    return without_leaks(text, task.gold_patch)
