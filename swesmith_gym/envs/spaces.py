"""Spaces that hold what shells print and what agents say: any Unicode text, and tool calls.

`gymnasium.spaces.Text` needs an alphabet and a minimum length; a terminal's output has neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gymnasium as gym
import numpy as np

Action = str | dict[str, Any]
"""A shell command, or a tool call `{"tool": NAME, ...arguments}`."""

_HARMLESS: tuple[Action, ...] = (
    "pwd",
    "ls",
    "git status --short",
    "git log --oneline",
    "true",
    "echo 'é \u2713'",
    {"tool": "bash", "command": "head -n 3 README* 2>/dev/null | head -c 200"},
    {"tool": "view", "path": "/testbed"},
)


class Unicode(gym.Space[str]):
    """Every `str`, the empty one included. `sample` draws short words."""

    def __init__(self, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(shape=None, dtype=None, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        return False

    def sample(self, mask: Any | None = None, probability: Any | None = None) -> str:
        del mask, probability
        return "".join(self.np_random.choice(list("abc é\n"), size=int(self.np_random.integers(0, 12))))

    def contains(self, x: Any) -> bool:
        return isinstance(x, str)

    def to_jsonable(self, sample_n: Iterable[str]) -> list[str]:
        return list(sample_n)

    def from_jsonable(self, sample_n: list[Any]) -> list[str]:
        return list(sample_n)

    def __repr__(self) -> str:
        return "Unicode()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unicode)

    def __hash__(self) -> int:
        return hash(Unicode)


class ActionSpace(gym.Space[Action]):
    """A shell command (`str`) or a tool call (`dict` with a `"tool"`). `sample` draws harmless ones, never a submit."""

    def __init__(self, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(shape=None, dtype=None, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        return False

    def sample(self, mask: Any | None = None, probability: Any | None = None) -> Action:
        del mask, probability
        drawn = _HARMLESS[int(self.np_random.integers(len(_HARMLESS)))]
        return dict(drawn) if isinstance(drawn, dict) else drawn

    def contains(self, x: Any) -> bool:
        return isinstance(x, str) or (isinstance(x, dict) and isinstance(x.get("tool"), str))

    def to_jsonable(self, sample_n: Iterable[Action]) -> list[Action]:
        return list(sample_n)

    def from_jsonable(self, sample_n: list[Any]) -> list[Action]:
        return list(sample_n)

    def __repr__(self) -> str:
        return "ActionSpace()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActionSpace)

    def __hash__(self) -> int:
        return hash(ActionSpace)
