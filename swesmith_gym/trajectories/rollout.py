"""Rollouts: agents play tasks, and every episode becomes a trajectory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym

from swesmith_gym.agents.base import AgentFactory, Session
from swesmith_gym.envs.registration import ENV_ID
from swesmith_gym.executors import Executor
from swesmith_gym.records import TaskInstance, Trajectory
from swesmith_gym.tasks import TaskTable
from swesmith_gym.wrappers import RecordTrajectory


@dataclass(frozen=True, slots=True)
class RolloutSettings:
    """How episodes are played."""

    agent: str
    """Name under which the trajectories are kept."""
    episodes_per_task: int = 1
    seed: int = 0
    """Episode k of every task is played with seed + k."""
    env: dict[str, Any] = field(default_factory=dict)
    """Arguments of `BugFixEnv`."""


def rollout(
    tasks: TaskTable,
    make_agent: AgentFactory,
    executor: Executor,
    settings: RolloutSettings,
    *,
    done: Collection[tuple[str, int]] = (),
) -> Iterator[Trajectory]:
    """Trajectories as they end. `done`: pairs of instance id and seed that are not played again.

    Raises: what `BugFixEnv.reset` raises; an agent's own errors.
    """
    seeds = [settings.seed + k for k in range(settings.episodes_per_task)]
    todo = [(task, seed) for task in tasks for seed in seeds if (task.instance_id, seed) not in done]

    def play(item: tuple[TaskInstance, int]) -> Trajectory:
        return _play(*item, make_agent, settings)

    for finished in executor.map(play, todo):
        yield finished.value


def _play(task: TaskInstance, seed: int, make_agent: AgentFactory, settings: RolloutSettings) -> Trajectory:
    kept: list[Trajectory] = []
    sink: Callable[[Trajectory], None] = kept.append
    made = gym.make(ENV_ID, disable_env_checker=True, tasks=TaskTable([task]), **settings.env)
    env = RecordTrajectory(made, sink, agent=settings.agent)
    try:
        session = Session(env, *env.reset(seed=seed))
        make_agent(task, seed).run(session)
        session.submit()
    finally:
        env.close()
    return kept[-1]


def counts(trajectories: Sequence[Trajectory]) -> dict[str, int]:
    """How the episodes ended: `resolved`, `unresolved`, `violation`, `fault`, `total`."""
    found = {"resolved": 0, "unresolved": 0, "violation": 0, "fault": 0, "total": len(trajectories)}
    for each in trajectories:
        kind = next(
            (k for k in ("fault", "violation") if k in each.info), "resolved" if each.resolved else "unresolved"
        )
        found[kind] += 1
    return found
