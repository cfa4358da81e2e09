"""Ids for tasks: only the ids are read, and what is no table is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from samples import TASK

import swesmith_gym
from swesmith_gym.errors import TaskTableError
from swesmith_gym.tasks import TaskTable, parquet


def test_only_the_ids_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    TaskTable([TASK, replace(TASK, instance_id="demo__second")]).write(tmp_path / "t.parquet")
    asked: list[list[str]] = []
    load = parquet._load
    monkeypatch.setattr(parquet, "_load", lambda file, columns: asked.append(list(columns)) or load(file, columns))
    ids = swesmith_gym.register_tasks(tmp_path / "t.parquet")
    assert asked == [["instance_id"]]
    assert ids == [f"SWESmith/{TASK.instance_id}-v0", "SWESmith/demo__second-v0"]
    for each in ids:
        gym.make(each, disable_env_checker=True).close()
    assert len(asked) == 2


@pytest.mark.parametrize("bad", ["", "a b", "a/b", None])
def test_an_id_that_is_none_is_refused(tmp_path: Path, bad: str | None) -> None:
    TaskTable([TASK]).write(tmp_path / "t.parquet")
    table = pq.read_table(tmp_path / "t.parquet")
    place = table.column_names.index("instance_id")
    pq.write_table(table.set_column(place, "instance_id", pa.array([bad], pa.string())), tmp_path / "t.parquet")
    with pytest.raises(TaskTableError, match=r"t\.parquet row 1: .*instance_id"):
        swesmith_gym.register_tasks(tmp_path / "t.parquet")


def test_what_is_no_task_table_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"instance_id": ["a"]}), tmp_path / "t.parquet")
    with pytest.raises(TaskTableError, match="column 'FAIL_TO_PASS' is missing"):
        swesmith_gym.register_tasks(tmp_path / "t.parquet")
