"""The shipped tables: whole, verified, licensed, and what the card says of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from swesmith_gym.evaluation.verify import evidence
from swesmith_gym.repos import profiles
from swesmith_gym.tasks import TaskTable
from swesmith_gym.tasks.starter import shipped_tasks, starter_tasks

TABLES = sorted(shipped_tasks().glob("*.parquet"))
LEAST_TASKS, LEAST_REPOS = 6_000, 30


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_gold_scored_one_and_nop_nothing_on_every_task(path: Path) -> None:
    table = TaskTable.read(path)
    found = json.loads(path.with_suffix(".verify.json").read_text())
    assert found["table"] == evidence(table, [], 1)["table"]
    assert found["tasks"] == found["tasks_checked"] == len(table)
    assert found["gold_resolved"] == found["gold_gradings"] == found["rounds"] * len(table)
    assert (found["nop_resolved"], found["nop_gradings"]) == (0, found["rounds"] * len(table))
    assert found["problems"] == []


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_row_is_whole(path: Path) -> None:
    profile = profiles.load(path.stem)
    for task in TaskTable.read(path):
        assert task.repo == path.stem
        assert (task.repo_source, task.repo_license) == (profile.source, profile.license)
        assert task.FAIL_TO_PASS
        assert task.PASS_TO_PASS
        assert not set(task.FAIL_TO_PASS) & set(task.PASS_TO_PASS)
        assert len(task.problem_statement) > 80
        assert not task.explanation or task.explanation not in task.problem_statement
        assert task.sealed_digest


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_licence_and_provenance_stand_beside_it(path: Path) -> None:
    facts = json.loads(path.with_suffix(".provenance.json").read_text())
    assert facts["tasks"] == len(TaskTable.read(path))
    assert facts["tasks"] + sum(facts["rejected"].values()) == facts["candidates"]
    assert len((shipped_tasks() / "licenses" / f"{path.stem}.txt").read_text()) > 500


def test_there_are_enough() -> None:
    tables = [TaskTable.read(path) for path in TABLES]
    assert sum(map(len, tables)) >= LEAST_TASKS
    assert len(tables) >= LEAST_REPOS
    ids = [task.instance_id for table in tables for task in table]
    assert len(ids) == len(set(ids))
    assert starter_tasks() in TABLES
