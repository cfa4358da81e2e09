"""The strategy `lm_rewrite`: a model sees signature and documentation in their file and writes the body.

No bug is asked for. Where the model's body behaves otherwise than the file's own, that is the bug.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from swesmith_gym.bugs.asking import Asking


@dataclass(frozen=True, slots=True, kw_only=True)
class LmRewrite(Asking):
    """`operator` of its candidates is the prompt's name."""

    name: ClassVar[str] = "lm_rewrite"
    blanked: ClassVar[bool] = True

    variants: tuple[str, ...] = ("lm_rewrite",)
    temperature: float = 0.0
