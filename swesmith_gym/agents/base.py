"""The agent contract: an agent is given a session and plays it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import gymnasium as gym

from swesmith_gym.envs.spaces import Action
from swesmith_gym.records import TaskInstance


class Session:
    """One episode from an agent's side. Made by whoever runs the agent, after `reset`; used for that episode only."""

    def __init__(self, env: gym.Env[str, Action], observation: str, info: dict[str, Any]) -> None:
        self._env = env
        self.observation = observation
        """What was shown last."""
        self.info = info
        """What came with it: after `reset` the problem statement and the tools."""
        self.reward = 0.0
        """Sum of the rewards so far."""
        self.done = False
        """The episode is over; further steps are refused."""

    def step(self, action: Action) -> str:
        """Take one action and return what it showed. Raises: InputError after the end."""
        observation, reward, terminated, truncated, self.info = self._env.step(action)
        self.observation = observation
        self.reward += float(reward)
        self.done = terminated or truncated
        return observation

    def submit(self) -> None:
        """Hand in the work; nothing happens if the episode is already over."""
        if not self.done:
            self.step({"tool": "submit"})


class Agent(Protocol):
    """Anything that plays. One object plays one episode at a time."""

    def run(self, session: Session) -> None:
        """Act until done. An agent that returns without submitting is submitted by whoever runs it."""


AgentFactory = Callable[[TaskInstance, int], Agent]
"""Makes the agent for one episode, from the task and a seed. Only gold looks at the task's answer."""
