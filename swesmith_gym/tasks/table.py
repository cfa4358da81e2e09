"""Task tables on disk: Parquet, one row a task. Sealing and grading are not its business."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import overload

from swesmith_gym.errors import TaskNotFound
from swesmith_gym.home import atomic_file
from swesmith_gym.records import TaskInstance
from swesmith_gym.tasks import parquet, schema


class TaskTable(Sequence[TaskInstance]):
    """Tasks in a fixed order, found by place or by id. Immutable, picklable."""

    def __init__(self, tasks: Iterable[TaskInstance], name: str = "tasks") -> None:
        self.name = name
        self._tasks: Sequence[TaskInstance] = tasks if isinstance(tasks, parquet.Rows) else tuple(tasks)

    @classmethod
    def read(cls, path: str | Path) -> TaskTable:
        """Read a Parquet file, or every `*.parquet` of a folder in order of name; where it has none, those below it. A
        file that was read lately and has not changed is not read again.

        Raises: TaskTableError (no such file, not Parquet, a column missing or of another type, a value missing, an id
        twice or of other characters than `[A-Za-z0-9_.-]`).
        """
        return cls(parquet.read(Path(path)), name=str(path))

    def write(self, path: str | Path) -> None:
        """Write Parquet (zstd). Equal tables give equal bytes. A lone surrogate in a problem statement or in a failure
        excerpt becomes U+FFFD.

        Raises: OSError, TaskTableError (a lone surrogate in another column).
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pylist(
            [schema.storable_row(task, f"{path} row {number}") for number, task in enumerate(self._tasks, 1)],
            schema=schema.arrow_schema(),
        )
        with atomic_file(Path(path)) as temporary:
            pq.write_table(table, temporary, compression="zstd", compression_level=12, use_dictionary=True)

    @cached_property
    def places(self) -> dict[str, int]:
        """instance_id -> place."""
        if isinstance(self._tasks, parquet.Rows):
            return self._tasks.places
        return {task.instance_id: place for place, task in enumerate(self._tasks)}

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
        return isinstance(other, TaskTable) and (
            self._tasks is other._tasks
            or (len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True)))
        )

    def __hash__(self) -> int:
        return hash(tuple(self.places))
