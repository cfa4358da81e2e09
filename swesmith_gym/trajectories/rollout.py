"""Rollouts: agents play tasks, and every episode becomes a trajectory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import gymnasium as gym

from swesmith_gym.agents.base import AgentFactory, Session
from swesmith_gym.envs.registration import ENV_ID
from swesmith_gym.errors import SandboxDied
from swesmith_gym.executors import Executor
from swesmith_gym.records import TaskInstance, Trajectory, content_id
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

    An agent's own error ends its episode only: `reward_valid=False` and `info["agent_error"]`, with the steps so far.
    Raises: what `BugFixEnv.reset` raises, but for SandboxDied, which is a fault of that episode.
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
    told: dict[str, str] = {}
    observation = ""
    try:
        session = Session(env, *env.reset(seed=seed))
        observation = session.observation
        told = _run(make_agent, task, seed, session)
    except SandboxDied as death:
        told = {"fault": str(death)}
    finally:
        env.close()
    if not told:
        return kept[-1]
    played = kept[-1] if kept else _without_a_step(task, seed, settings.agent, observation)
    return replace(played, reward_valid=False, info={**played.info, **told})


def _run(make_agent: AgentFactory, task: TaskInstance, seed: int, session: Session) -> dict[str, str]:
    """Let the agent play to the end; what went wrong with it, if anything did."""
    try:
        make_agent(task, seed).run(session)
    except (Exception, SystemExit) as error:  # noqa: BLE001 (foreign code: its errors end this episode alone)
        return {"agent_error": f"{type(error).__name__}: {error}"}
    session.submit()
    return {}


def _without_a_step(task: TaskInstance, seed: int, agent: str, observation: str) -> Trajectory:
    """An episode that ended before its first action."""
    name = content_id(task.instance_id, agent, seed, [])[:16]
    info = {"repo": task.repo, "language": task.language, "unfinished": True}
    return Trajectory(name, task.instance_id, agent, seed, observation, (), 0.0, False, False, "", info)


def counts(trajectories: Sequence[Trajectory]) -> dict[str, int]:
    """How the episodes ended: `resolved`, `unresolved`, `violation`, `agent_error`, `fault`, `total`."""
    found = dict.fromkeys(("resolved", "unresolved", "violation", "agent_error", "fault"), 0)
    found["total"] = len(trajectories)
    for each in trajectories:
        ends = (kind for kind in ("fault", "agent_error", "violation") if kind in each.info)
        kind = next(ends, "resolved" if each.resolved else "unresolved")
        found[kind] += 1
    return found


def played_out(trajectory: Trajectory) -> bool:
    """The episode says something about the agent: neither the host nor an error in the agent's code broke it off."""
    return not {"fault", "agent_error"} & trajectory.info.keys()
