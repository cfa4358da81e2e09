"""The strategy `lm_modify`: a model sees a function or class whole and is asked for a subtle bug in its logic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from swesmith_gym.bugs.asking import Asking

VARIANTS = ("lm_modify", "func_fun", "class_basic")
"""Our prompts, as SWE-smith has them: a plain one, a tired engineer, and one for classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LmModify(Asking):
    """`operator` of its candidates is the prompt's name, `explanation` what the model says it did."""

    name: ClassVar[str] = "lm_modify"
    blanked: ClassVar[bool] = False

    variants: tuple[str, ...] = VARIANTS
    temperature: float = 1.0
