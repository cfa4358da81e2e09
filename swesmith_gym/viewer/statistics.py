"""The figures of a report: how many tasks came of which strategy and operator, and how agents fared.

Counting only: what a task or a verdict is has been decided elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from swesmith_gym.pipeline.provenance import Dropped
from swesmith_gym.records import TaskInstance, Trajectory, summed
from swesmith_gym.viewer.diffs import edited_lines
from swesmith_gym.viewer.outcomes import outcome


@dataclass(frozen=True, slots=True)
class Group:
    """One row of the strategy or the operator table."""

    name: str
    candidates: int | None
    """Proposed bugs, rejected ones included; None: not known."""
    instances: int
    """Validated tasks."""
    yield_percent: float | None
    cost_cents: float | None
    """US cents for each task, rejected candidates' cost included; None: not known."""
    median_f2p: float
    median_edited: float
    """Median number of lines that the bug adds and removes."""


@dataclass(frozen=True, slots=True)
class AgentRow:
    """How one agent fared."""

    name: str
    episodes: int
    resolved: int
    violations: int
    faults: int
    mean_reward: float | None
    """Over the episodes whose reward is valid; None: there is none."""
    mean_steps: float


def by_strategy(tasks: Sequence[TaskInstance], dropped: Sequence[Dropped] | None) -> list[Group]:
    """One row a strategy, most tasks first, and `all` where there are several."""
    names = [task.strategy for task in tasks], [row.strategy for row in dropped or ()]
    return _groups(tasks, dropped, *names)


def by_operator(tasks: Sequence[TaskInstance], dropped: Sequence[Dropped] | None) -> list[Group]:
    """One row an operator, most tasks first, with its strategy where that is not the procedural one; no sum."""
    own = [task for task in tasks if task.operator]
    lost = None if dropped is None else [row for row in dropped if row.operator]
    names = (
        [_operator(task.strategy, task.operator) for task in own],
        [_operator(row.strategy, row.operator) for row in lost or ()],
    )
    return [group for group in _groups(own, lost, *names) if group.name != "all"]


def _operator(strategy: str, operator: str | None) -> str:
    return operator or "" if strategy == "procedural" else f"{strategy}: {operator}"


def _groups(
    tasks: Sequence[TaskInstance],
    dropped: Sequence[Dropped] | None,
    task_names: Iterable[str],
    dropped_names: Iterable[str],
) -> list[Group]:
    kept: dict[str, list[TaskInstance]] = defaultdict(list)
    lost: dict[str, list[Dropped]] = defaultdict(list)
    for name, task in zip(task_names, tasks, strict=True):
        kept[name].append(task)
    for name, row in zip(dropped_names, dropped or (), strict=True):
        lost[name].append(row)
    known = dropped is not None
    groups = [_group(name, kept[name], lost[name] if known else None) for name in {*kept, *lost}]
    groups.sort(key=lambda group: (-group.instances, group.name))
    if len(groups) > 1:
        groups.append(_group("all", tasks, dropped))
    return groups


def _group(name: str, tasks: Sequence[TaskInstance], dropped: Sequence[Dropped] | None) -> Group:
    candidates = None if dropped is None else len(tasks) + sum(row.candidates for row in dropped)
    cost = summed([task.cost_usd for task in tasks] + [row.cost_usd for row in dropped or ()])
    return Group(
        name=name,
        candidates=candidates,
        instances=len(tasks),
        yield_percent=100 * len(tasks) / candidates if candidates else None,
        cost_cents=100 * cost / len(tasks) if tasks and cost is not None else None,
        median_f2p=_median(tasks, lambda task: len(task.FAIL_TO_PASS)),
        median_edited=_median(tasks, lambda task: edited_lines(task.bug_patch)),
    )


def _median(tasks: Sequence[TaskInstance], count: Callable[[TaskInstance], int]) -> float:
    return float(median(map(count, tasks))) if tasks else 0.0


def by_agent(trajectories: Sequence[Trajectory]) -> list[AgentRow]:
    """One row an agent, by name."""
    runs: dict[str, list[Trajectory]] = defaultdict(list)
    for trajectory in trajectories:
        runs[trajectory.agent].append(trajectory)
    return [_agent(name, runs[name]) for name in sorted(runs)]


def _agent(name: str, episodes: Sequence[Trajectory]) -> AgentRow:
    ends = [outcome(episode) for episode in episodes]
    rewards = [episode.reward for episode in episodes if episode.reward_valid]
    return AgentRow(
        name=name,
        episodes=len(episodes),
        resolved=ends.count("resolved"),
        violations=ends.count("violation"),
        faults=ends.count("fault"),
        mean_reward=sum(rewards) / len(rewards) if rewards else None,
        mean_steps=sum(len(episode.steps) for episode in episodes) / len(episodes),
    )
