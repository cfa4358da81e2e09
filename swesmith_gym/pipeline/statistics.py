"""Statistics of task tables, in the form of the table that SWE-smith's paper gives (strategy, instances, F2P, lines)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from swesmith_gym.records import TaskInstance


def by_strategy(tasks: Iterable[TaskInstance]) -> list[dict[str, Any]]:
    """One row for each strategy and a last one for all. `cost_usd` is None where it is unknown for any task."""
    groups: dict[str, list[TaskInstance]] = {}
    for task in tasks:
        groups.setdefault(task.strategy, []).append(task)
    everything = [task for group in groups.values() for task in group]
    return [_row(name, group) for name, group in sorted(groups.items())] + [_row("all", everything)]


def _row(name: str, tasks: Sequence[TaskInstance]) -> dict[str, Any]:
    costs = [task.cost_usd for task in tasks]
    known = [cost for cost in costs if cost is not None]
    return {
        "strategy": name,
        "instances": len(tasks),
        "repositories": len({task.repo for task in tasks}),
        "median_f2p": median(len(task.FAIL_TO_PASS) for task in tasks) if tasks else 0,
        "median_edited_lines": median(edited_lines(task.bug_patch) for task in tasks) if tasks else 0,
        "cost_usd": round(sum(known), 4) if len(known) == len(costs) else None,
    }


def edited_lines(patch: str) -> int:
    """Lines that a diff takes out or puts in."""
    return sum(
        line.startswith(("+", "-")) and not line.startswith(("+++ ", "--- ")) for line in patch.split("\n")
    )
