"""Task tables in Parquet files, read with little memory: columns stay as Arrow holds them, a row becomes a task on use.

A column's types and missing values are checked on reading, for all rows at once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from swesmith_gym.errors import TaskTableError
from swesmith_gym.records import TaskInstance
from swesmith_gym.tasks import schema

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_BATCH_ROWS = 256
_KEPT_TABLES = 8


class Rows(Sequence[TaskInstance]):
    """The rows of one or more files, one after the other. Immutable, picklable, thread-safe."""

    def __init__(self, parts: Sequence[tuple[Path, pa.Table]]) -> None:
        """`parts`: each file and its content. Raises: TaskTableError (an id that is none, or that stands twice)."""
        self._parts = tuple(parts)
        self._ends = tuple(accumulate(table.num_rows for _, table in self._parts))
        self.ids = _checked((file, table.column("instance_id").to_pylist()) for file, table in self._parts)

    @cached_property
    def places(self) -> dict[str, int]:
        """instance_id -> place."""
        return {instance_id: place for place, instance_id in enumerate(self.ids)}

    @overload
    def __getitem__(self, place: int) -> TaskInstance: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[TaskInstance]: ...

    def __getitem__(self, place: int | slice) -> TaskInstance | Sequence[TaskInstance]:
        if isinstance(place, slice):
            return tuple(self[i] for i in range(*place.indices(len(self))))
        if not -len(self) <= place < len(self):
            raise IndexError(f"there is no row {place} among {len(self)}")
        place %= len(self)
        part = bisect_right(self._ends, place)
        file, table = self._parts[part]
        row = place - (self._ends[part - 1] if part else 0)
        return schema.from_row(table.slice(row, 1).to_pylist()[0], f"{file} row {row + 1}")

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[TaskInstance]:
        for file, table in self._parts:
            number = 0
            for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield schema.from_row(row, f"{file} row {number}")


def read(path: Path) -> Rows:
    """The rows of a file, or of every `*.parquet` of a folder in order of name; those of a few files are kept.

    Raises: TaskTableError.
    """
    return _read(tuple((file, _state(file)) for file in _files(path)))


def read_ids(path: Path) -> tuple[str, ...]:
    """The column `instance_id` alone, checked as in `read`. Raises: TaskTableError."""
    files = _files(path)
    return _checked((file, _load(file, ["instance_id"]).column("instance_id").to_pylist()) for file in files)


@lru_cache(maxsize=_KEPT_TABLES)
def _read(files: tuple[tuple[Path, tuple[int, ...]], ...]) -> Rows:
    parts = [(file, _load(file, schema.COLUMNS)) for file, _ in files]
    for file, table in parts:
        _check_values(table, file)
    return Rows(parts)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        # Below the tables of a `run` lie the parts that they were put together from.
        files = sorted(path.glob("*.parquet")) or sorted(path.rglob("*.parquet"))
        if not files:
            raise TaskTableError(f"{path}: there is no *.parquet file in this folder")
        return files
    return [path]


def _state(file: Path) -> tuple[int, ...]:
    """What changes when a file is written anew. Raises: TaskTableError (no such file)."""
    try:
        found = file.stat()
    except OSError as error:
        raise _unreadable(file, error) from error
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _unreadable(file: Path, error: OSError) -> TaskTableError:
    if isinstance(error, FileNotFoundError):
        return TaskTableError(
            f"{file}: no such file; a task table is made by `swesmith-gym run`, or `bugs validate … --out {file}`"
        )
    return TaskTableError(f"{file}: it cannot be read ({error.strerror or str(error).splitlines()[0]})")


def _load(file: Path, columns: Sequence[str]) -> pa.Table:
    """Some columns of a file. Lists of tests stay dictionary-encoded: the same ids stand in thousands of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as opened:
            schema.check_columns(opened.schema_arrow, str(file))
            chosen = [name for name in columns if name in opened.schema_arrow.names]
            lists = [path for path in _leaves(opened) if path.split(".")[0] in chosen]
        try:
            return _groups(file, chosen, lists)
        except pa.ArrowNotImplementedError:  # a row group whose dictionary grew too large for its writer
            return _groups(file, chosen, [])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise TaskTableError(f"{file}: not a Parquet file ({str(error).splitlines()[0]})") from error
    except OSError as error:
        raise _unreadable(file, error) from error


def _groups(file: Path, columns: list[str], dictionaries: list[str]) -> pa.Table:
    """Row group by row group: Arrow joins no lists of strings across groups, nor beyond 2 GiB."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(file, read_dictionary=dictionaries) as opened:
        if not opened.num_row_groups:
            return opened.read(columns=columns)
        return pa.concat_tables([opened.read_row_group(i, columns=columns) for i in range(opened.num_row_groups)])


def _leaves(opened: pq.ParquetFile) -> list[str]:
    columns = (opened.schema.column(i) for i in range(len(opened.schema)))
    return [c.path for c in columns if c.path.split(".")[0] in schema.LISTS and c.physical_type == "BYTE_ARRAY"]


def _check_values(table: pa.Table, file: Path) -> None:
    """Missing values, and lists that miss theirs. Raises: TaskTableError (names the row)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def refuse(bad: Any, name: str, what: str) -> None:
        row = pc.index(bad, pa.scalar(value=True)).as_py()
        if row >= 0:
            raise TaskTableError(f"{file} row {row + 1}: column {name!r} {what}")

    for name in table.column_names:
        column = table.column(name)
        if name not in schema.OPTIONAL and column.null_count:
            refuse(pc.is_null(column), name, "has no value")
        if name == "FAIL_TO_PASS" and table.num_rows:
            refuse(pc.equal(pc.list_value_length(column), 0), name, "is empty, so that nothing tells the bug")


def _checked(parts: Any) -> tuple[str, ...]:
    """All ids, in order. Raises: TaskTableError."""
    seen: dict[str, Path] = {}
    for file, ids in parts:
        for number, each in enumerate(ids, 1):
            known = schema.check_id(each, f"{file} row {number}")
            if known in seen:
                where = f"{file} and {seen[known]}" if seen[known] != file else str(file)
                raise TaskTableError(f"{where}: instance_id {known!r} stands in two rows")
            seen[known] = file
    return tuple(seen)
