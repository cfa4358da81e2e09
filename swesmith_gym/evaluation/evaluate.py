"""From predictions to verdicts to a report, one folder for each instance: what stands there is not graded again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from swesmith_gym import sandboxes
from swesmith_gym.envs.grading import grade
from swesmith_gym.errors import GradingFault, InputError, SandboxDied
from swesmith_gym.evaluation.predictions import Prediction
from swesmith_gym.executors import Executor
from swesmith_gym.home import write_atomic
from swesmith_gym.records import TaskInstance, Verdict, content_id
from swesmith_gym.repos.resolve import testbed_of
from swesmith_gym.tasks import TaskTable

_ID = re.compile(r"[A-Za-z0-9_.-]+")


def evaluate(
    tasks: TaskTable, predictions: Sequence[Prediction], out: Path, executor: Executor, *, sandbox: str
) -> Iterator[Verdict]:
    """Verdicts as they come; `out/<instance_id>/report.json` is written for each. A fault is not kept: the next run
    tries again.

    Raises: InputError (an id that no folder can have), SandboxUnavailable, ProfileError, TaskTableError, OSError.
    """
    for each in predictions:
        _check_id(each.instance_id)

    def one(prediction: Prediction) -> Verdict:
        task = tasks.get(prediction.instance_id)
        place = out / prediction.instance_id / "report.json"
        fingerprint = testbed_of(task, sandboxes.backend(sandbox)).image.fingerprint
        key = content_id(prediction.model_patch, asdict(task), fingerprint)
        known = _known(place, key)
        if known is not None:
            return known
        verdict = _grade(task, prediction, sandbox)
        write_atomic(place, json.dumps(_report(verdict, prediction, "" if verdict.fault else key), indent=1) + "\n")
        return verdict

    for done in executor.map(one, predictions):
        yield done.value


def _check_id(instance_id: str) -> None:
    """A table is somebody's file: its ids must not lead out of the folder of the reports. Raises: InputError."""
    if not _ID.fullmatch(instance_id) or instance_id in (".", ".."):
        raise InputError(
            f"the instance id {instance_id!r} cannot be a folder's name: only A-Z a-z 0-9 _ . - may be in it"
        )


def _grade(task: TaskInstance, prediction: Prediction, sandbox: str) -> Verdict:
    try:
        return grade(task, prediction.model_patch, sandbox=sandbox)
    except (GradingFault, SandboxDied) as fault:
        return Verdict(task.instance_id, resolved=False, fault=str(fault))


def _report(verdict: Verdict, prediction: Prediction, key: str) -> dict[str, Any]:
    return {
        "instance_id": verdict.instance_id,
        "model_name_or_path": prediction.model_name_or_path,
        "patch_exists": verdict.patch_exists and bool(prediction.model_patch.strip()),
        "patch_applied": verdict.patch_applied,
        "resolved": verdict.resolved,
        "tests_status": {
            "FAIL_TO_PASS": {"success": list(verdict.f2p_success), "failure": list(verdict.f2p_failure)},
            "PASS_TO_PASS": {"success": list(verdict.p2p_success), "failure": list(verdict.p2p_failure)},
        },
        "violation": verdict.violation,
        "fault": verdict.fault,
        "drifted": verdict.drifted,
        "duration_s": round(verdict.duration_s, 3),
        "content_key": key,
    }


def _known(place: Path, key: str) -> Verdict | None:
    """The verdict of an earlier run on the same task and patch, None where there is none."""
    try:
        row = json.loads(place.read_text())
    except (OSError, ValueError):
        return None
    if not isinstance(row, dict) or row.get("content_key") != key:
        return None
    status = row["tests_status"]
    values = {f.name: row[f.name] for f in fields(Verdict) if f.name in row}
    for kind, name in (("FAIL_TO_PASS", "f2p"), ("PASS_TO_PASS", "p2p")):
        values |= {f"{name}_{side}": tuple(status[kind][side]) for side in ("success", "failure")}
    return Verdict(**values)


def summary(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """`report.json` of a run: counts, and the ids of each kind."""

    def kind(verdict: Verdict) -> str:
        if verdict.fault:
            return "fault"
        return "violation" if verdict.violation else "resolved" if verdict.resolved else "unresolved"

    ids: dict[str, list[str]] = {name: [] for name in ("resolved", "unresolved", "violation", "fault")}
    for verdict in sorted(verdicts, key=lambda v: v.instance_id):
        ids[kind(verdict)].append(verdict.instance_id)
    return {
        **{name: len(found) for name, found in ids.items()},
        "total": len(verdicts),
        **{f"{name}_ids": found for name, found in ids.items()},
    }
