"""Whole episodes as `Trajectory` records, handed to a sink as they end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, SupportsFloat

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from swesmith_gym.records import Step, Trajectory, Verdict, content_id


class RecordTrajectory(gym.Wrapper[str, Any, str, Any], RecordConstructorArgs):
    """Calls `sink(trajectory)` once for every episode, at its last step.

    An episode that `reset` or `close` cuts off after one step or more is handed over too, with
    `reward_valid=False` and `info["unfinished"]`. What is recorded is what passes through this wrapper: outside of
    `StripAnsi` or `ParseToolCalls` it sees the agent's side, inside of them the environment's. The sink runs in the
    caller's thread and its errors are the caller's. Not deep-copied into the spec: an environment that is
    made again from it shares the sink.
    """

    def __init__(self, env: gym.Env[str, Any], sink: Callable[[Trajectory], None], agent: str = "agent") -> None:
        RecordConstructorArgs.__init__(self, sink=sink, agent=agent, _disable_deepcopy=True)
        gym.Wrapper.__init__(self, env)
        self.sink = sink
        self.agent = agent
        self._episode = 0
        self._seed = -1
        self._observation = ""
        self._start: dict[str, Any] = {}
        self._steps: list[Step] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin an episode; hand over the one before if it was cut off."""
        self._cut_off()
        observation, info = self.env.reset(seed=seed, options=options)
        self._episode += 1
        self._seed = -1 if seed is None else seed
        self._observation, self._start = observation, info
        return observation, info

    def step(self, action: Any) -> tuple[str, SupportsFloat, bool, bool, dict[str, Any]]:
        """Record the step; hand over the episode if it was the last."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._steps.append(Step(action, observation, float(reward), terminated, truncated, dict(info)))
        if terminated or truncated:
            self._hand_over({})
        return observation, reward, terminated, truncated, info

    def close(self) -> None:
        """Hand over an episode that was cut off, then close the environment."""
        try:
            self._cut_off()
        finally:
            self.env.close()

    def _cut_off(self) -> None:
        if self._steps:
            self._hand_over({"unfinished": True})

    def _hand_over(self, extra: Mapping[str, Any]) -> None:
        steps, self._steps = tuple(self._steps), []
        end = steps[-1].info
        instance = str(self._start.get("instance_id", ""))
        told = {"repo": self._start.get("repo"), "language": self._start.get("language")}
        told |= {key: end.get(key) for key in ("violation", "fault")}
        self.sink(
            Trajectory(
                trajectory_id=_name(instance, self.agent, self._seed, self._episode, steps),
                instance_id=instance,
                agent=self.agent,
                seed=self._seed,
                observation=self._observation,
                steps=steps,
                reward=sum(step.reward for step in steps),
                reward_valid=bool(end.get("reward_valid", True)) and not extra,
                resolved=_resolved(end.get("verdict")),
                model_patch=str(end.get("model_patch", "")),
                info={key: value for key, value in told.items() if value is not None} | dict(extra),
            )
        )


def _name(instance: str, agent: str, seed: int, episode: int, steps: tuple[Step, ...]) -> str:
    """16 hex digits over who played what, and how: the same episode of the same run has the same name."""
    turns = [(repr(step.action), step.observation) for step in steps]
    return content_id(instance, agent, seed, episode, turns)[:16]


def _resolved(verdict: Verdict | Mapping[str, Any] | None) -> bool:
    if verdict is None:
        return False
    return bool(verdict.get("resolved") if isinstance(verdict, Mapping) else verdict.resolved)
