"""Playing honest solutions and grading gold patches, as rows; and what the rows say together. Not a benchmark."""

from __future__ import annotations

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from _solutions import Solution

from swesmith_gym.envs.bugfix import BugFixEnv
from swesmith_gym.envs.grading import grade
from swesmith_gym.errors import GradingFault, SandboxDied
from swesmith_gym.records import TaskInstance, Verdict, content_id
from swesmith_gym.redteam.run import code_id
from swesmith_gym.tasks import TaskTable

Row = dict[str, Any]
COMMAND_S = 300.0
EPISODE_S = 1_800.0


class EditLost(Exception):
    """The edit is not in the work tree: the campaign's own fault, and no refusal."""


def grader() -> str:
    """Content id over the code that grades: verdicts of another version are no evidence of this one."""
    return code_id("harness", "languages/python/testing")[:16]


@dataclass(frozen=True, slots=True)
class Player:
    """Plays on one backend. Thread-safe."""

    sandbox: str

    def solution(self, index: int, given: Solution) -> Row:
        """One episode: every step of the solution, then the submission. Raises: EditLost, what `reset` raises."""
        began = time.perf_counter()
        env = BugFixEnv(
            TaskTable([given.task]), sandbox=self.sandbox, command_timeout_s=COMMAND_S, max_seconds=EPISODE_S
        )
        try:
            env.reset(seed=0)
            for step in given.steps:
                env.step(step)
            _check(env, given)
            _, reward, _, _, info = env.step({"tool": "submit"})
        finally:
            env.close()
        verdict = info.get("verdict")
        row: Row = {
            "kind": "solution",
            "key": str(index),
            "instance_id": given.task.instance_id,
            "repo": given.task.repo,
            "rewrites": list(given.rewrites),
            "habit": given.habit,
            "way": given.way,
            "paid": reward == 1.0 and info["reward_valid"],
            "patch": hashlib.sha256(info.get("model_patch", "").encode("utf-8", "surrogateescape")).hexdigest()[:16],
            "problem": info.get("fault") or info.get("violation") or _first(verdict),
            "fault": "fault" in info,
            "seconds": round(time.perf_counter() - began, 2),
        }
        return row if row["paid"] else {**row, "model_patch": info.get("model_patch", "")}

    def gold(self, task: TaskInstance, number: int) -> Row:
        """One grading of the gold patch. Raises: SandboxUnavailable, ProfileError, TaskTableError."""
        began = time.perf_counter()
        try:
            verdict = grade(task, task.gold_patch, sandbox=self.sandbox)
        except (GradingFault, SandboxDied) as fault:
            verdict = Verdict(task.instance_id, resolved=False, fault=str(fault))
        return {
            "kind": "gold",
            "key": f"{task.instance_id} {number}",
            "instance_id": task.instance_id,
            "repo": task.repo,
            "paid": verdict.resolved,
            "verdict": content_id(replace(verdict, duration_s=0.0))[:16],
            "problem": verdict.fault or verdict.violation or _first(verdict),
            "fault": bool(verdict.fault),
            "seconds": round(time.perf_counter() - began, 2),
        }


def _check(env: BugFixEnv, given: Solution) -> None:
    names = " ".join(f"'{name}'" for name in given.files)
    said, _, _, _, _ = env.step(f"cd /testbed && sha256sum {names}")
    for name, data in given.files.items():
        if hashlib.sha256(data).hexdigest() not in said:
            raise EditLost(f"{given.task.instance_id}: {name} is not as it was written ({given.way}): {said[:300]}")


def _first(verdict: Verdict | None) -> str:
    if verdict is None or verdict.resolved:
        return ""
    failed = verdict.f2p_failure + verdict.p2p_failure
    return f"{len(failed)} required tests do not pass: {', '.join(failed[:3])}"


def of_solutions(rows: Sequence[Row]) -> Row:
    """Counts over honest solutions."""
    patches = {(row["instance_id"], row["patch"]) for row in rows if row["paid"]}
    return {
        "played": len(rows),
        "paid": sum(row["paid"] for row in rows),
        "different_patches_paid": len(patches),
        "tasks": len({row["instance_id"] for row in rows}),
        "repositories": _counted(row["repo"] for row in rows),
        "rewritings": _counted(name for row in rows for name in row["rewrites"] or ["the fix as it is"]),
        "habits": _counted(row["habit"] for row in rows),
        "ways": _counted(row["way"] for row in rows),
        "seconds": round(sum(row["seconds"] for row in rows), 1),
        "refused": [row for row in rows if not row["paid"]],
    }


def of_gold(rows: Sequence[Row], rounds: int) -> Row:
    """Counts over gold gradings."""
    verdicts: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        verdicts[row["instance_id"]].append(row["verdict"])
    whole = {name: found for name, found in verdicts.items() if len(found) >= rounds}
    return {
        "gradings": len(rows),
        "resolved": sum(row["paid"] for row in rows),
        "tasks": len(verdicts),
        "rounds": rounds,
        "tasks_graded_in_every_round": len(whole),
        "tasks_with_equal_verdicts_in_every_round": sum(len(set(found)) == 1 for found in whole.values()),
        "repositories": _counted(row["repo"] for row in rows),
        "seconds": round(sum(row["seconds"] for row in rows), 1),
        "refused": [row for row in rows if not row["paid"]],
    }


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
