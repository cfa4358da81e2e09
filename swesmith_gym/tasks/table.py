"""Task tables on disk: Parquet, one row a task. Sealing and grading are not its business."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import overload

from swesmith_gym.errors import TaskNotFound, TaskTableError
from swesmith_gym.home import atomic_file
from swesmith_gym.records import TaskInstance
from swesmith_gym.tasks import schema


class TaskTable(Sequence[TaskInstance]):
    """Tasks in a fixed order, found by place or by id. Immutable, picklable."""

    def __init__(self, tasks: Iterable[TaskInstance], name: str = "tasks") -> None:
        self.name = name
        self._tasks = tuple(tasks)

    @classmethod
    def read(cls, path: str | Path) -> TaskTable:
        """Read a Parquet file, or every `*.parquet` of a folder in order of name.

        Raises: TaskTableError (no such file, not Parquet, a column missing, an id twice).
        """
        path = Path(path)
        if path.is_dir():
            files = sorted(path.rglob("*.parquet"))
            if not files:
                raise TaskTableError(f"{path}: there is no *.parquet file in this folder")
            return cls((task for file in files for task in cls.read(file)), name=str(path))
        table = cls(_read_file(path), name=str(path))
        if len(table.places) != len(table):
            seen: set[str] = set()
            twice = next(t.instance_id for t in table if t.instance_id in seen or seen.add(t.instance_id))  # type: ignore[func-returns-value]
            raise TaskTableError(f"{path}: instance_id {twice!r} stands in two rows")
        return table

    def write(self, path: str | Path) -> None:
        """Write Parquet (zstd). Equal tables give equal bytes. Raises: OSError."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pylist([schema.to_row(t) for t in self._tasks], schema=schema.arrow_schema())
        with atomic_file(Path(path)) as temporary:
            pq.write_table(table, temporary, compression="zstd", compression_level=12, use_dictionary=True)

    @cached_property
    def places(self) -> dict[str, int]:
        """instance_id -> place."""
        return {t.instance_id: i for i, t in enumerate(self._tasks)}

    def get(self, instance_id: str) -> TaskInstance:
        """The task of that id. Raises: TaskNotFound."""
        try:
            return self._tasks[self.places[instance_id]]
        except KeyError:
            raise TaskNotFound(
                f"{self.name}: no task {instance_id!r} among {len(self)}; see `swesmith-gym tasks list {self.name}`"
            ) from None

    @overload
    def __getitem__(self, place: int) -> TaskInstance: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[TaskInstance]: ...

    def __getitem__(self, place: int | slice) -> TaskInstance | Sequence[TaskInstance]:
        return self._tasks[place]

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[TaskInstance]:
        return iter(self._tasks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TaskTable) and self._tasks == other._tasks

    def __hash__(self) -> int:
        return hash(tuple(self.places))


def _read_file(path: Path) -> list[TaskInstance]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise TaskTableError(
            f"{path}: no such file; a task table is made by `swesmith-gym bugs validate … --out {path}`"
        )
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise TaskTableError(f"{path}: not a Parquet file ({str(error).splitlines()[0]})") from error
    needed = {f.name for f in fields(TaskInstance)} - set(schema._ABSENT)
    missing = sorted(needed - set(table.column_names))
    if missing:
        raise TaskTableError(f"{path}: column {missing[0]!r} is missing, so it is not a task table of this format")
    return [schema.from_row(row, f"{path} row {i}") for i, row in enumerate(table.to_pylist(), 1)]
