"""The tasks of one strategy in one repository: proposed, validated, verified, and made once.

FOLDER/tasks.parquet    the tasks
FOLDER/verify.json      what gold and nop scored on each of them
FOLDER/made.json        what they were made with
FOLDER/…                candidates, rejected rows, the time that it took
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from swesmith_gym.bugs.registry import Means
from swesmith_gym.evaluation import verify
from swesmith_gym.evaluation.verify import Check
from swesmith_gym.harness.grade import Grading
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.validate import ValidationSettings
from swesmith_gym.home import read_object, write_atomic
from swesmith_gym.issues import from_lm
from swesmith_gym.pipeline import candidates as candidate_files
from swesmith_gym.pipeline import generation, provenance, validation
from swesmith_gym.pipeline.configuration import SynthesisConfig
from swesmith_gym.pipeline.spent import Spent
from swesmith_gym.pipeline.statements import Writing
from swesmith_gym.pipeline.workplace import Workplace
from swesmith_gym.records import BugCandidate, RejectedCandidate, TaskInstance, content_id
from swesmith_gym.tasks import TaskTable

NO_CANDIDATE = frozenset({"duplicate", "equivalent"})
"""Reasons for which a strategy leaves out what never was a candidate: it counts in no yield."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one strategy gave."""

    tasks: TaskTable
    rejected: Sequence[RejectedCandidate]
    """Candidates that became no task."""
    left_out: dict[str, int]
    """Why and how often something was left out that was no candidate."""
    evidence: dict[str, Any]
    spent: dict[str, tuple[float, float]]
    """Phase -> wall-clock and CPU seconds."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a part is to be made of."""

    strategy: str
    means: Means

    @property
    def known(self) -> frozenset[str]:
        """Ids of tasks that there are already: the same bug is no other task."""
        return frozenset(task.instance_id for task in self.means.tasks)

    def issues(self, config: SynthesisConfig) -> Writing:
        """How their problem statements are written."""
        if config.issues != "lm":
            return Writing(config.issues)
        return Writing(config.issues, lm=self.means.lm, prompt=from_lm.prompt(self.means.prompts))

    def key(self, testbed: Testbed, config: SynthesisConfig) -> str:
        """Equal for what gives equal tasks."""
        name, image = testbed.image.repo, testbed.image.fingerprint
        settings = (config.created_at, config.limit_of(self.strategy), config.seed, self.issues(config).settings)
        return content_id(name, image, self.strategy, settings, sorted(self.known), self.means.key(self.strategy))


def make(order: Order, testbed: Testbed, config: SynthesisConfig, folder: Path, place: Workplace) -> Part:
    """Make what is not there yet. Raises: SweSmithGymError, OSError."""
    spent = Spent(folder / "spent.json")
    key = order.key(testbed, config)
    made = read_object(folder / "made.json")
    if made.get("key") != key or not (folder / "tasks.parquet").is_file():
        with spent.on("making"):
            made = {"key": key, "left_out": _made(order, testbed, config, folder, place)}
        write_atomic(folder / "made.json", json.dumps(made, indent=1) + "\n")
    table = TaskTable.read(folder / "tasks.parquet")
    evidence = read_object(folder / "verify.json")
    if not _verified(evidence, table, config):
        with spent.on("verification"):
            checks = _checks(table, config, place)
        table, checks = _stable(table, checks, folder)
        evidence = verify.evidence(table, checks, config.rounds, cast("Grading", config.grading), warm=config.warm)
        write_atomic(folder / "verify.json", json.dumps(evidence, indent=1) + "\n")
    return Part(
        table,
        candidate_files.read_rejected(folder / "rejected.jsonl"),
        made.get("left_out", {}),
        evidence,
        spent.read(),
    )


def _made(order: Order, testbed: Testbed, config: SynthesisConfig, folder: Path, place: Workplace) -> dict[str, int]:
    """Tasks and rejected rows; returns how often what was left out."""
    proposed, ignored = folder / "candidates.jsonl", folder / "left_out.jsonl"
    generation.run(
        testbed.image.repo,
        place,
        [order.strategy],
        proposed,
        means=order.means,
        limit=config.limit_of(order.strategy),
        seed=config.seed,
        rejected=ignored,
    )
    job = validation.ValidationJob(
        candidate_files.read(proposed),
        {testbed.image.repo: testbed},
        folder / "tasks.parquet",
        folder / "rejected.jsonl",
        ValidationSettings(config.created_at),
        order.issues(config),
        stamp_is_given=True,
    )
    table, rejected = validation.run(job, place)
    left_out = candidate_files.read_rejected(ignored)
    own = [each for each in left_out if each.reason not in NO_CANDIDATE]
    known = order.known
    again = [task for task in table if task.instance_id in known]
    candidate_files.write_rejected(job.rejected, [*own, *rejected, *map(_known, again)])
    TaskTable(task for task in table if task.instance_id not in known).write(job.out)
    return provenance.by_reason(each for each in left_out if each.reason in NO_CANDIDATE)


def _known(task: TaskInstance) -> RejectedCandidate:
    return RejectedCandidate(_candidate_of(task), "duplicate", f"another strategy has made {task.instance_id}")


def _candidate_of(task: TaskInstance) -> BugCandidate:
    fields = ("repo", "strategy", "operator", "bug_patch", "explanation", "seed", "cost_usd", "model")
    return BugCandidate(**{name: getattr(task, name) for name in fields}).identified()


def _verified(found: dict[str, Any], table: TaskTable, config: SynthesisConfig) -> bool:
    """It is evidence of this very table, got in the way that is asked for, and it shows no problem."""
    wanted = {"table": verify.identity(table), "problems": [], "rounds": config.rounds}
    wanted |= {"grading": config.grading, "warm": config.warm}
    return all(found.get(name) == value for name, value in wanted.items())


def _checks(table: TaskTable, config: SynthesisConfig, place: Workplace) -> list[Check]:
    checks: list[Check] = []
    how = cast("Grading", config.grading)
    for check in verify.verify(
        list(table), place.executor, rounds=config.rounds, sandbox=place.backend.name, grading=how, warm=config.warm
    ):
        checks.append(check)
        place.progress(len(checks), 2 * config.rounds * len(table), "verify")
    return checks


def _stable(table: TaskTable, checks: Sequence[Check], folder: Path) -> tuple[TaskTable, list[Check]]:
    """Without the tasks of which, with the bug, other tests fail than before: what their bug breaks changes from run to
    run, as it may where something is drawn at random. They are candidates that were rejected (`flaky`)."""
    unstable = {check.instance_id: check.problem for check in checks if check.other_tests}
    if unstable:
        dropped = [
            RejectedCandidate(_candidate_of(task), "flaky", f"{task.instance_id}: {unstable[task.instance_id]}")
            for task in table
            if task.instance_id in unstable
        ]
        again = {each.candidate.candidate_id for each in dropped}
        rejected = candidate_files.read_rejected(folder / "rejected.jsonl")
        others = [each for each in rejected if each.candidate.candidate_id not in again]
        candidate_files.write_rejected(folder / "rejected.jsonl", [*others, *dropped])
        table = TaskTable(task for task in table if task.instance_id not in unstable)
        table.write(folder / "tasks.parquet")
    return table, [check for check in checks if check.instance_id not in unstable]
