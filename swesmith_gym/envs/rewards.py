"""From a verdict to a number. A reward is any function of that form; violations and faults never reach one."""

from __future__ import annotations

from collections.abc import Callable

from swesmith_gym.records import Verdict

Reward = Callable[[Verdict], float]


def sparse(verdict: Verdict) -> float:
    """1 if the task is resolved, else 0."""
    return float(verdict.resolved)
