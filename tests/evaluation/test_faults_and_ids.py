"""Evaluation goes on when one item has no verdict, and writes below its own folder only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from samples import TASK

from swesmith_gym.errors import GradingFault, InputError, SandboxDied
from swesmith_gym.evaluation import evaluate as evaluation
from swesmith_gym.evaluation import verify as verification
from swesmith_gym.evaluation.predictions import Prediction
from swesmith_gym.executors import SerialExecutor
from swesmith_gym.records import TaskInstance, Verdict
from swesmith_gym.tasks import TaskTable

TASKS = TaskTable([replace(TASK, instance_id=f"demo__{n}") for n in range(3)])


@pytest.fixture(autouse=True)
def image(monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment is built for these tasks."""
    known = SimpleNamespace(image=SimpleNamespace(fingerprint="f"))
    monkeypatch.setattr(evaluation, "testbed_of", lambda task, backend: known, raising=False)


def grade(task: TaskInstance, patch: str, *, sandbox: str, grading: str = "full", bench: object = None) -> Verdict:
    """The first one's sandbox dies, the second one cannot be graded, the third one is as it should be."""
    if task.instance_id == "demo__0":
        raise SandboxDied("gone")
    if task.instance_id == "demo__1":
        raise GradingFault("disk")
    return Verdict(task.instance_id, resolved=bool(patch))


def test_one_fault_does_not_end_an_evaluation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "grade", grade)
    predictions = [Prediction(task.instance_id, "x", "m") for task in TASKS]
    verdicts = list(evaluation.evaluate(TASKS, predictions, tmp_path, SerialExecutor(), sandbox="auto"))
    assert [v.fault for v in verdicts] == ["gone", "disk", ""]
    found = evaluation.summary(verdicts)
    assert (found["resolved"], found["fault"]) == (1, 2)


def test_one_fault_does_not_end_a_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "grade", grade)
    checks = list(verification.verify(list(TASKS), SerialExecutor(), rounds=1, sandbox="auto"))
    assert [c.problem for c in checks] == ["fault: gone"] * 2 + ["fault: disk"] * 2 + ["", ""]


@pytest.mark.parametrize("name", ["../out", "/etc/x", "a/b", ".", "..", "", "a b", "a\n"])
def test_an_id_that_is_no_folder_is_refused_before_anything_is_graded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(evaluation, "grade", lambda task, patch, sandbox: Verdict(task.instance_id, resolved=True))
    tasks = TaskTable([TASKS[2], replace(TASK, instance_id=name)])
    predictions = [Prediction(task.instance_id, "x", "m") for task in tasks]
    with pytest.raises(InputError, match="cannot be a folder"):
        list(evaluation.evaluate(tasks, predictions, tmp_path / "out", SerialExecutor(), sandbox="auto"))
    assert not list(tmp_path.iterdir())
