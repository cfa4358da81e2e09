"""Task tables: round trip, equal bytes, errors that name file, row and column."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from samples import TASK

from swesmith_gym.errors import TaskNotFound, TaskTableError
from swesmith_gym.tasks import TaskTable


def test_round_trip_keeps_every_byte(tmp_path: Path) -> None:
    table = TaskTable([TASK, replace(TASK, instance_id="demo__2", operator="op", cost_usd=0.5)])
    table.write(tmp_path / "t.parquet")
    assert TaskTable.read(tmp_path / "t.parquet") == table


def test_equal_tables_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        TaskTable([TASK]).write(tmp_path / f"{name}.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_an_empty_table_can_be_read(tmp_path: Path) -> None:
    TaskTable([]).write(tmp_path / "t.parquet")
    assert len(TaskTable.read(tmp_path / "t.parquet")) == 0


def test_loads_with_datasets(tmp_path: Path) -> None:
    import datasets

    TaskTable([TASK]).write(tmp_path / "t.parquet")
    loaded = datasets.load_dataset("parquet", data_files=str(tmp_path / "t.parquet"), cache_dir=str(tmp_path / "c"))
    assert loaded["train"][0]["FAIL_TO_PASS"] == list(TASK.FAIL_TO_PASS)


def test_a_folder_is_read_whole(tmp_path: Path) -> None:
    TaskTable([TASK]).write(tmp_path / "a" / "t.parquet")
    TaskTable([replace(TASK, instance_id="other")]).write(tmp_path / "b.parquet")
    assert {t.instance_id for t in TaskTable.read(tmp_path)} == {TASK.instance_id, "other"}


def test_get_names_the_table() -> None:
    with pytest.raises(TaskNotFound, match="'nothing' among 1"):
        TaskTable([TASK]).get("nothing")


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(TaskTableError, match=r"nowhere\.parquet: no such file"):
        TaskTable.read(tmp_path / "nowhere.parquet")


def test_not_parquet(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_text("no")
    with pytest.raises(TaskTableError, match="not a Parquet file"):
        TaskTable.read(tmp_path / "t.parquet")


def test_missing_column(tmp_path: Path) -> None:
    pq.write_table(pa.table({"instance_id": ["a"]}), tmp_path / "t.parquet")
    with pytest.raises(TaskTableError, match="column 'FAIL_TO_PASS' is missing"):
        TaskTable.read(tmp_path / "t.parquet")


def test_missing_value_names_the_row(tmp_path: Path) -> None:
    TaskTable([TASK]).write(tmp_path / "t.parquet")
    table = pq.read_table(tmp_path / "t.parquet")
    place = table.column_names.index("repo")
    pq.write_table(table.set_column(place, "repo", pa.array([None], pa.string())), tmp_path / "t.parquet")
    with pytest.raises(TaskTableError, match="row 1: column 'repo' has no value"):
        TaskTable.read(tmp_path / "t.parquet")


def test_an_id_twice(tmp_path: Path) -> None:
    TaskTable([TASK, TASK]).write(tmp_path / "t.parquet")
    with pytest.raises(TaskTableError, match="stands in two rows"):
        TaskTable.read(tmp_path / "t.parquet")
