"""Vector environments: many episodes in lock-step, each sandbox driven by a thread of its own.

Gymnasium's AsyncVectorEnv copies text through fixed-size shared memory; sandboxes need no second Python process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, TypeVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from swesmith_gym.envs.registration import ENV_ID, register
from swesmith_gym.envs.spaces import Action
from swesmith_gym.errors import GradingFault, InputError, SandboxError

Observations = tuple[str, ...]
_Result = TypeVar("_Result")


class ThreadVectorEnv(VectorEnv[Observations, Sequence[Action], np.ndarray]):
    """`num_envs` environments, stepped together.

    Observations: a tuple of `str`. Actions: a sequence of actions. Rewards: float64 `(num_envs,)`; terminations and
    truncations: bool `(num_envs,)`. Infos: Gymnasium's merged form, with masks. An episode that ended is reset at the
    next step (NEXT_STEP autoreset): that step's action is ignored.

    An environment whose reset or step raises SandboxError or GradingFault does not end the others: its slot gets a
    masked fault (reward 0, truncated, `info["reward_valid"]` False, `info["fault"]` the text), and at the next step a
    fresh environment in its place is reset. The caller closes it.
    """

    metadata: dict[str, Any] = {"autoreset_mode": AutoresetMode.NEXT_STEP, "render_modes": ["ansi"]}  # noqa: RUF012

    def __init__(self, makers: Sequence[Callable[[], gym.Env[str, Action]]]) -> None:
        """`makers`: one function for each environment. Raises: InputError (none)."""
        if not makers:
            raise InputError("num_envs is 0: a vector environment needs at least one")
        self._makers = tuple(makers)
        self.envs = [make() for make in makers]
        self.num_envs = len(self.envs)
        self.single_observation_space = self.envs[0].observation_space
        self.single_action_space = self.envs[0].action_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._ended = [False] * self.num_envs
        self._broken = [False] * self.num_envs
        self._observations = [""] * self.num_envs
        self._threads = ThreadPoolExecutor(self.num_envs, thread_name_prefix="swesmith-gym-env")

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin an episode in each. An int seed is the first one's; the others count on from it.

        `options` go to every environment, but for `reset_mask`, bool `(num_envs,)`: begin in these only.
        Raises: InputError (seeds or mask of another length, closed), SandboxError or GradingFault (no environment
        could begin), and what else an environment's `reset` raises.
        """
        seeds = self._seeds(seed)
        others = dict(options or {})
        chosen = self._chosen(others.pop("reset_mask", None))
        results = self._all(self._begin, chosen, [seeds[i] for i in chosen], [others or None] * len(chosen))
        failures = [result for result in results if isinstance(result, Exception)]
        if len(failures) == len(chosen):
            raise failures[0]
        infos: list[dict[str, Any]] = [{} for _ in self.envs]
        for index, result in zip(chosen, results, strict=True):
            self._ended[index] = isinstance(result, Exception)
            self._observations[index], infos[index] = (
                (str(result), _fault(result)) if isinstance(result, Exception) else result
            )
        return tuple(self._observations), self._merge(infos)

    def step(
        self, actions: Sequence[Action]
    ) -> tuple[Observations, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One action for each environment; returns when the slowest has answered. Raises: InputError."""
        if len(actions) != self.num_envs:
            raise InputError(f"{len(actions)} actions for {self.num_envs} environments")
        results = self._all(self._one, range(self.num_envs), actions)
        observations, rewards, terminated, truncated, infos = zip(*results, strict=True)
        self._ended = [a or b for a, b in zip(terminated, truncated, strict=True)]
        self._observations = list(observations)
        return (
            observations,
            np.array(rewards, dtype=np.float64),
            np.array(terminated, dtype=np.bool_),
            np.array(truncated, dtype=np.bool_),
            self._merge(infos),
        )

    def _one(self, index: int, action: Action) -> tuple[str, float, bool, bool, dict[str, Any]]:
        if self._ended[index]:
            begun = self._begin(index, None, None)
            if isinstance(begun, Exception):
                return str(begun), 0.0, False, True, _fault(begun)
            return begun[0], 0.0, False, False, begun[1]
        try:
            observation, reward, terminated, truncated, info = self.envs[index].step(action)
        except (SandboxError, GradingFault) as error:
            self._broken[index] = True
            return str(error), 0.0, False, True, _fault(error)
        return observation, float(reward), terminated, truncated, info

    def _begin(
        self, index: int, seed: int | None, options: dict[str, Any] | None
    ) -> tuple[str, dict[str, Any]] | SandboxError | GradingFault:
        """Reset one environment, in a fresh one if the last call broke it; the error if that breaks it."""
        try:
            if self._broken[index]:
                self._replace(index)
            return self.envs[index].reset(seed=seed, options=options)
        except (SandboxError, GradingFault) as error:
            self._broken[index] = True
            return error

    def _replace(self, index: int) -> None:
        fresh, old = self._makers[index](), self.envs[index]
        fresh.unwrapped.np_random = old.unwrapped.np_random  # the choice of tasks goes on as it was seeded
        self.envs[index], self._broken[index] = fresh, False
        old.close()

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, (int, np.integer)):
            return [int(seed) + i for i in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise InputError(f"{len(seed)} seeds for {self.num_envs} environments")
        return list(seed)

    def _chosen(self, mask: Any) -> list[int]:
        if mask is None:
            return list(range(self.num_envs))
        chosen = np.asarray(mask)
        if chosen.shape != (self.num_envs,) or chosen.dtype != np.bool_ or not chosen.any():
            raise InputError(f"reset_mask must hold {self.num_envs} booleans, one of them True")
        return [int(index) for index in np.flatnonzero(chosen)]

    def _all(self, function: Callable[..., _Result], *arguments: Iterable[Any]) -> list[_Result]:
        """Call in the threads; every call has ended when this returns or raises the first error."""
        if self.closed:
            raise InputError("the vector environment is closed: make a new one")
        calls = [self._threads.submit(function, *each) for each in zip(*arguments, strict=True)]
        wait(calls)
        return [call.result() for call in calls]

    def _merge(self, infos: Iterable[dict[str, Any]]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for index, info in enumerate(infos):
            merged = self._add_info(merged, info, index)
        return merged

    def close_extras(self, **kwargs: Any) -> None:
        """Close every environment, each of them even if another fails; then the first error is raised."""
        del kwargs
        try:
            self._all(lambda env: env.close(), self.envs)
        finally:
            self._threads.shutdown()
            self.closed = True


def _fault(error: Exception) -> dict[str, Any]:
    return {"reward_valid": False, "fault": str(error)}


def vector_entry_point(num_envs: int = 1, **kwargs: Any) -> ThreadVectorEnv:
    """What `gymnasium.make_vec` calls."""
    return make_vec(num_envs=num_envs, **kwargs)


def make_vec(tasks: str | Path, num_envs: int = 1, **kwargs: Any) -> ThreadVectorEnv:
    """`num_envs` environments over one table; `kwargs` go to `BugFixEnv`. Raises: TaskTableError, InputError."""
    register()
    return ThreadVectorEnv([lambda: gym.make(ENV_ID, tasks=tasks, **kwargs)] * num_envs)
