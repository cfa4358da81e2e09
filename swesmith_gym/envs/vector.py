"""Vector environments: many episodes in lock-step, each sandbox driven by a thread of its own.

Gymnasium's AsyncVectorEnv copies text through fixed-size shared memory; sandboxes need no second Python process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from swesmith_gym.envs.registration import ENV_ID, register
from swesmith_gym.envs.spaces import Action
from swesmith_gym.errors import InputError

Observations = tuple[str, ...]


class ThreadVectorEnv(VectorEnv[Observations, Sequence[Action], np.ndarray]):
    """`num_envs` environments, stepped together.

    Observations: a tuple of `str`. Actions: a sequence of actions. Rewards: float64 `(num_envs,)`; terminations and
    truncations: bool `(num_envs,)`. Infos: Gymnasium's merged form, with masks. An episode that ended is reset at the
    next step (NEXT_STEP autoreset): that step's action is ignored. The caller closes it.
    """

    metadata: dict[str, Any] = {"autoreset_mode": AutoresetMode.NEXT_STEP, "render_modes": ["ansi"]}  # noqa: RUF012

    def __init__(self, makers: Sequence[Callable[[], gym.Env[str, Action]]]) -> None:
        """`makers`: one function for each environment. Raises: InputError (none)."""
        if not makers:
            raise InputError("num_envs is 0: a vector environment needs at least one")
        self.envs = [make() for make in makers]
        self.num_envs = len(self.envs)
        self.single_observation_space = self.envs[0].observation_space
        self.single_action_space = self.envs[0].action_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._ended = [False] * self.num_envs
        self._threads = ThreadPoolExecutor(self.num_envs, thread_name_prefix="swesmith-gym-env")

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin an episode in each. An int seed is the first one's; the others count on from it."""
        if seed is None or isinstance(seed, int):
            seeds: list[int | None] = [None if seed is None else seed + i for i in range(self.num_envs)]
        else:
            seeds = list(seed)
        results = list(
            self._threads.map(
                lambda pair: pair[0].reset(seed=pair[1], options=options), zip(self.envs, seeds, strict=True)
            )
        )
        self._ended = [False] * self.num_envs
        return tuple(obs for obs, _ in results), self._merge(info for _, info in results)

    def step(
        self, actions: Sequence[Action]
    ) -> tuple[Observations, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One action for each environment; returns when the slowest has answered."""
        if len(actions) != self.num_envs:
            raise InputError(f"{len(actions)} actions for {self.num_envs} environments")
        results = list(self._threads.map(self._one, range(self.num_envs), actions))
        observations, rewards, terminated, truncated, infos = zip(*results, strict=True)
        self._ended = [a or b for a, b in zip(terminated, truncated, strict=True)]
        return (
            tuple(observations),
            np.array(rewards, dtype=np.float64),
            np.array(terminated, dtype=np.bool_),
            np.array(truncated, dtype=np.bool_),
            self._merge(infos),
        )

    def _one(self, index: int, action: Action) -> tuple[str, float, bool, bool, dict[str, Any]]:
        env = self.envs[index]
        if self._ended[index]:
            observation, info = env.reset()
            return observation, 0.0, False, False, info
        observation, reward, terminated, truncated, info = env.step(action)
        return observation, float(reward), terminated, truncated, info

    def _merge(self, infos: Any) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for index, info in enumerate(infos):
            merged = self._add_info(merged, info, index)
        return merged

    def close_extras(self, **kwargs: Any) -> None:
        """Close every environment."""
        del kwargs
        list(self._threads.map(lambda env: env.close(), self.envs))
        self._threads.shutdown()


def vector_entry_point(num_envs: int = 1, **kwargs: Any) -> ThreadVectorEnv:
    """What `gymnasium.make_vec` calls."""
    return make_vec(num_envs=num_envs, **kwargs)


def make_vec(tasks: str | Path, num_envs: int = 1, **kwargs: Any) -> ThreadVectorEnv:
    """`num_envs` environments over one table; `kwargs` go to `BugFixEnv`. Raises: TaskTableError, InputError."""
    register()
    return ThreadVectorEnv([lambda: gym.make(ENV_ID, tasks=tasks, **kwargs)] * num_envs)
