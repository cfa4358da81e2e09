"""Task tables: round trip, equal bytes, errors that name file, row and column."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from samples import TASK

from swesmith_gym.errors import TaskNotFound, TaskTableError
from swesmith_gym.evaluation.verify import identity
from swesmith_gym.records import TaskQuality
from swesmith_gym.tasks import TaskTable, parquet, schema


def test_round_trip_keeps_every_byte(tmp_path: Path) -> None:
    table = TaskTable([TASK, replace(TASK, instance_id="demo__2", operator="op", cost_usd=0.5)])
    table.write(tmp_path / "t.parquet")
    assert TaskTable.read(tmp_path / "t.parquet") == table


def test_measures_are_columns_of_their_own(tmp_path: Path) -> None:
    measures = TaskQuality(0.25, 3, 1, 2, None, True, 0.4)
    table = TaskTable([replace(TASK, quality=measures, reruns=3), replace(TASK, instance_id="demo__2")])
    table.write(tmp_path / "t.parquet")
    assert TaskTable.read(tmp_path / "t.parquet") == table
    rows = pq.read_table(tmp_path / "t.parquet").to_pylist()
    assert [rows[0][name] for name in schema.QUALITY] == [0.25, 3, 1, 2, None, True, 0.4]
    assert [rows[1][name] for name in (*schema.QUALITY, "reruns")] == [None] * 8


def test_a_table_without_measures_is_read_and_keeps_its_identity(tmp_path: Path) -> None:
    TaskTable([TASK]).write(tmp_path / "t.parquet")
    old = pq.read_table(tmp_path / "t.parquet").drop_columns([*schema.QUALITY, "reruns"])
    pq.write_table(old, tmp_path / "old.parquet")
    assert list(TaskTable.read(tmp_path / "old.parquet")) == [TASK]
    assert identity([TASK]) != identity([replace(TASK, reruns=3)])
    assert identity([TASK]) != identity([replace(TASK, quality=TaskQuality(depth=1))])


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


def test_a_folder_is_its_own_tables_or_else_those_below_it(tmp_path: Path) -> None:
    TaskTable([TASK]).write(tmp_path / "work" / "a" / "t.parquet")
    TaskTable([replace(TASK, instance_id="other")]).write(tmp_path / "work" / "b" / "t.parquet")
    assert {t.instance_id for t in TaskTable.read(tmp_path)} == {TASK.instance_id, "other"}
    TaskTable([TASK]).write(tmp_path / "a.parquet")
    assert [t.instance_id for t in TaskTable.read(tmp_path)] == [TASK.instance_id]


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


def with_column(path: Path, name: str, values: Any) -> None:
    """Write `path` with one task and `name` replaced."""
    TaskTable([TASK]).write(path)
    table = pq.read_table(path)
    pq.write_table(table.set_column(table.column_names.index(name), name, values), path)


@pytest.mark.parametrize(
    ("name", "values", "says"),
    [
        ("FAIL_TO_PASS", pa.array(['["tests/test_x.py::test"]']), "column 'FAIL_TO_PASS' is of type string"),
        ("FAIL_TO_PASS", pa.array([[]], pa.list_(pa.string())), "row 1: column 'FAIL_TO_PASS' is empty"),
        ("FAIL_TO_PASS", pa.array([[1]]), "column 'FAIL_TO_PASS' is of type list"),
        ("PASS_TO_PASS", pa.array([None], pa.list_(pa.string())), "row 1: column 'PASS_TO_PASS' has no value"),
        ("repo", pa.array([3]), "column 'repo' is of type int64, it must be string"),
        ("seed", pa.array(["3"]), "column 'seed' is of type string, it must be int64"),
        ("cost_usd", pa.array(["free"]), "column 'cost_usd' is of type string, it must be double"),
        ("instance_id", pa.array([""]), "row 1: instance_id ''"),
        ("instance_id", pa.array(["a/b"]), "row 1: instance_id 'a/b'"),
        ("instance_id", pa.array([None], pa.string()), "row 1: column 'instance_id' has no value"),
    ],
)
def test_a_wrong_column_is_named(tmp_path: Path, name: str, values: Any, says: str) -> None:
    with_column(tmp_path / "t.parquet", name, values)
    with pytest.raises(TaskTableError, match=says) as raised:
        TaskTable.read(tmp_path / "t.parquet")
    assert "t.parquet" in str(raised.value)


def test_a_list_that_misses_a_value_is_told_on_use(tmp_path: Path) -> None:
    with_column(tmp_path / "t.parquet", "PASS_TO_PASS", pa.array([["a", None]]))
    with pytest.raises(TaskTableError, match="row 1: column 'PASS_TO_PASS' must be a list of strings"):
        TaskTable.read(tmp_path / "t.parquet")[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FAIL_TO_PASS", '["tests/test_x.py::test"]'),
        ("FAIL_TO_PASS", []),
        ("lost", [1]),
        ("repo", 3),
        ("seed", True),
        ("seed", "3"),
        ("cost_usd", "free"),
        ("instance_id", "a b"),
    ],
)
def test_a_row_of_wrong_types_is_refused(name: str, value: Any) -> None:
    with pytest.raises(TaskTableError, match=f"ledger row 7: .*{name}"):
        schema.from_row(schema.to_row(TASK) | {name: value}, "ledger row 7")
    assert schema.from_row(schema.to_row(TASK), "ledger row 7") == TASK


def test_ids_are_unique_across_the_files_of_a_folder(tmp_path: Path) -> None:
    TaskTable([TASK]).write(tmp_path / "a.parquet")
    TaskTable([TASK]).write(tmp_path / "b.parquet")
    with pytest.raises(TaskTableError, match=r"b\.parquet and .*a\.parquet: .* stands in two rows"):
        TaskTable.read(tmp_path)


def test_a_table_that_was_read_behaves_as_a_sequence(tmp_path: Path) -> None:
    tasks = [replace(TASK, instance_id=f"demo__{n}", seed=n) for n in range(7)]
    TaskTable(tasks[:3]).write(tmp_path / "a.parquet")
    TaskTable(tasks[3:]).write(tmp_path / "b.parquet")
    table = TaskTable.read(tmp_path)
    assert list(table) == tasks
    assert [table[i] for i in range(-7, 7)] == tasks * 2
    assert tuple(table[1:6:2]) == tuple(tasks[1:6:2])
    assert table.get("demo__5") == tasks[5]
    assert table == TaskTable(tasks)
    assert table != TaskTable(tasks[1:])
    assert pickle.loads(pickle.dumps(table)) == table
    with pytest.raises(IndexError):
        table[7]


def test_lists_written_by_others_are_read(tmp_path: Path) -> None:
    with_column(tmp_path / "t.parquet", "PASS_TO_PASS", pa.array([["a", "b"]], pa.large_list(pa.large_string())))
    assert TaskTable.read(tmp_path / "t.parquet")[0] == replace(TASK, PASS_TO_PASS=("a", "b"))
    with_column(tmp_path / "t.parquet", "PASS_TO_PASS", pa.array([[]]))
    assert TaskTable.read(tmp_path / "t.parquet")[0] == TASK
    with_column(tmp_path / "t.parquet", "repo", pa.array(["demo"]).dictionary_encode())
    assert TaskTable.read(tmp_path / "t.parquet")[0] == TASK


def test_a_file_is_read_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.parquet"
    TaskTable([TASK]).write(path)
    loads: list[Path] = []
    load = parquet._load
    monkeypatch.setattr(parquet, "_load", lambda file, columns: loads.append(file) or load(file, columns))
    for _ in range(3):
        assert TaskTable.read(path).places == {TASK.instance_id: 0}
    assert loads == [path]
    times = path.stat()
    TaskTable([replace(TASK, repo="omed")]).write(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert TaskTable.read(path)[0].repo == "omed"


def test_text_that_utf_8_cannot_hold(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    TaskTable([replace(TASK, problem_statement="a\ud800b", failure_excerpt="\udce9")]).write(path)
    (read,) = TaskTable.read(path)
    assert (read.problem_statement, read.failure_excerpt) == ("a\ufffdb", "\ufffd")
    for changes in ({"bug_patch": "\ud800"}, {"PASS_TO_PASS": ("a", "\udce9")}):
        with pytest.raises(TaskTableError, match=rf"t\.parquet row 2: column '{next(iter(changes))}'"):
            TaskTable([TASK, replace(TASK, **changes)]).write(path)  # type: ignore[arg-type]
    assert len(TaskTable.read(path)) == 1


def test_many_row_groups_and_ids_that_no_dictionary_holds(tmp_path: Path) -> None:
    tasks = [
        replace(TASK, instance_id=f"demo__{n}", PASS_TO_PASS=tuple(f"tests/t.py::test_{n}_{i}" for i in range(300)))
        for n in range(60)
    ]
    for limit in (1 << 20, 1 << 12):
        rows = pa.Table.from_pylist([schema.to_row(task) for task in tasks], schema=schema.arrow_schema())
        pq.write_table(rows, tmp_path / "t.parquet", row_group_size=25, dictionary_pagesize_limit=limit)
        assert list(TaskTable.read(tmp_path / "t.parquet")) == tasks
        assert TaskTable.read(tmp_path / "t.parquet")[55] == tasks[55]
