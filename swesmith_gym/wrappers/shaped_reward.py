"""Partial credit at the end of an episode, from the verdict: tests repaired minus tests broken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, SupportsFloat

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from swesmith_gym.records import Verdict


class ShapedReward(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Final reward = share of FAIL_TO_PASS tests that pass - `penalty` × share of PASS_TO_PASS tests that broke.

    1.0 exactly for a resolved task, else between -`penalty` and 1.0 (not reached). Unchanged: rewards of steps that
    carry no verdict; violations and faults (both 0); the wrapped environment's own number, which stays in `info` as
    `sparse_reward`. Shaping changes what is optimal (breaking one test can pay for repairing two): for
    training signals, never for reporting.
    """

    def __init__(self, env: gym.Env[Any, Any], penalty: float = 1.0) -> None:
        if penalty < 0:
            raise ValueError(f"penalty must not be negative, not {penalty}")
        RecordConstructorArgs.__init__(self, penalty=penalty)
        gym.Wrapper.__init__(self, env)
        self.penalty = penalty

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """As the wrapped environment's, with the shaped reward where `info` brings a verdict."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        verdict = info.get("verdict")
        if verdict is None or "fault" in info or "violation" in info:
            return observation, reward, terminated, truncated, info
        info = {**info, "sparse_reward": float(reward)}
        return observation, shaped(verdict, self.penalty), terminated, truncated, info


def shaped(verdict: Verdict | Mapping[str, Any], penalty: float = 1.0) -> float:
    """The shaped reward of one verdict, given as the record or as its fields."""
    if _field(verdict, "violation") or _field(verdict, "fault"):
        return 0.0
    if _field(verdict, "resolved"):
        return 1.0
    repaired = _share(_field(verdict, "f2p_success"), _field(verdict, "f2p_failure"))
    broken = _share(_field(verdict, "p2p_failure"), _field(verdict, "p2p_success"))
    return repaired - penalty * broken


def _share(part: Any, rest: Any) -> float:
    total = len(part or ()) + len(rest or ())
    return len(part or ()) / total if total else 0.0


def _field(verdict: Verdict | Mapping[str, Any], name: str) -> Any:
    return verdict.get(name) if isinstance(verdict, Mapping) else getattr(verdict, name)
