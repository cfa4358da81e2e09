"""What statements are written from, and what a writer makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from swesmith_gym.issues.trial import Trial
from swesmith_gym.languages.base import Files, Language
from swesmith_gym.lm.base import LM
from swesmith_gym.lm.prompts import Prompt
from swesmith_gym.records import TaskInstance


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes where a model does."""

    lm: LM
    prompt: Prompt
    """Placeholders: `from_lm.PLACEHOLDERS`."""
    trial: Callable[[TaskInstance, str], Trial] = field(repr=False)
    """Runs a reproduction with the bug of a task and without: `trial.run` with the repository's testbed."""


@dataclass(frozen=True, slots=True)
class Materials:
    """What the statements of one repository's tasks are written from. Immutable and thread-safe."""

    files: Files = field(repr=False)
    """The pristine tree; its test files are enough."""
    language: Language
    seed: int = 0
    """Another one gives other wordings."""
    author: Author | None = None
    """Mode `lm` needs one; the others do not look at it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What one way of writing made of one task."""

    text: str = ""
    missing: str = ""
    """Why there is no text: one word, `a_b`; empty where there is one."""
    cost_usd: float | None = 0.0
    """What it cost now, a text or none; None: no price is known."""
