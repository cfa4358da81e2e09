"""The main job in small, on a real package: from a repository to validated tasks, played and graded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from swesmith_gym.agents import factory
from swesmith_gym.evaluation.evaluate import evaluate, summary
from swesmith_gym.evaluation.predictions import Prediction
from swesmith_gym.harness.validate import ValidationSettings
from swesmith_gym.home import write_atomic
from swesmith_gym.pipeline import candidates as candidate_files
from swesmith_gym.pipeline import generation, validation
from swesmith_gym.pipeline.workplace import Workplace
from swesmith_gym.records import RejectedCandidate, Trajectory, Verdict
from swesmith_gym.repos.resolve import ensure_built
from swesmith_gym.tasks import TaskTable
from swesmith_gym.trajectories import RolloutSettings, TrajectoryStore, rollout

REPO = "sqlparse"
CANDIDATES = 16
RERUNS = 1
"""Of each task's tests: whoever tries this out waits for it."""


@dataclass(frozen=True, slots=True)
class QuickstartResult:
    """Everything that the quick start made."""

    tasks: TaskTable
    rejected: Sequence[RejectedCandidate]
    trajectories: Sequence[Trajectory]
    verdicts: Sequence[Verdict]

    @property
    def ok(self) -> bool:
        """There are tasks; on each, gold scored 1 and nop 0, as episodes and as predictions."""
        gold = {t.instance_id: t.reward for t in self.trajectories if t.agent == "gold" and t.reward_valid}
        nop = {t.instance_id: t.reward for t in self.trajectories if t.agent == "nop" and t.reward_valid}
        return bool(self.tasks) and (
            all(gold.get(t.instance_id) == 1.0 and nop.get(t.instance_id) == 0.0 for t in self.tasks)
            and len(self.verdicts) == len(self.tasks)
            and all(v.resolved for v in self.verdicts)
        )


def run(out: Path, place: Workplace, created_at: str) -> QuickstartResult:
    """Do the whole job below `out`. A repetition keeps the environment. Raises: SweSmithGymError."""
    place.say(f"1/5 environment of {REPO}")
    testbed = ensure_built(REPO, place.backend, place.say)
    place.say(f"2/5 bugs (procedural, at most {CANDIDATES})")
    generation.run(REPO, place, ["procedural"], out / "candidates.jsonl", limit=CANDIDATES)
    candidates = candidate_files.read(out / "candidates.jsonl")
    place.say(f"3/5 validation and issues of {len(candidates)} candidates")
    job = validation.ValidationJob(
        candidates,
        {REPO: testbed},
        out / "tasks.parquet",
        out / "rejected.jsonl",
        ValidationSettings(created_at, reruns=RERUNS),
    )
    tasks, rejected = validation.run(job, place)
    place.say(f"4/5 gold and nop episodes on {len(tasks)} tasks")
    trajectories = _play(tasks, out, place)
    place.say("5/5 evaluation of the gold episodes' patches")
    verdicts = _evaluate(tasks, trajectories, out, place)
    return QuickstartResult(tasks, rejected, trajectories, verdicts)


def _play(tasks: TaskTable, out: Path, place: Workplace) -> list[Trajectory]:
    store = TrajectoryStore(out / "rollouts")
    store.path.unlink(missing_ok=True)
    played: list[Trajectory] = []
    for agent in ("gold", "nop"):
        settings = RolloutSettings(agent, env={"sandbox": place.backend.name})
        for trajectory in rollout(tasks, factory(agent), place.executor, settings):
            store.append(trajectory)
            played.append(trajectory)
            place.progress(len(played), 2 * len(tasks), agent)
    return played


def _evaluate(tasks: TaskTable, trajectories: Sequence[Trajectory], out: Path, place: Workplace) -> list[Verdict]:
    predictions = [Prediction(t.instance_id, t.model_patch, t.agent) for t in trajectories if t.agent == "gold"]
    lines = (
        {"instance_id": p.instance_id, "model_patch": p.model_patch, "model_name_or_path": p.model_name_or_path}
        for p in predictions
    )
    write_atomic(out / "predictions.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    verdicts: list[Verdict] = []
    for verdict in evaluate(tasks, predictions, out / "evaluation", place.executor, sandbox=place.backend.name):
        verdicts.append(verdict)
        place.progress(len(verdicts), len(predictions), "")
    write_atomic(out / "evaluation" / "report.json", json.dumps(summary(verdicts), indent=1) + "\n")
    return verdicts
