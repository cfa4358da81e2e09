"""Columns of a task table: the one place that says how a `TaskInstance` lies in Parquet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from swesmith_gym.errors import TaskTableError
from swesmith_gym.records import TaskInstance, TaskQuality
from swesmith_gym.tasks.text import encodable

if TYPE_CHECKING:
    import pyarrow as pa

QUALITY: tuple[str, ...] = tuple(f.name for f in fields(TaskQuality))
"""Columns that hold the fields of `TaskInstance.quality`."""
COLUMNS: tuple[str, ...] = tuple(
    name for f in fields(TaskInstance) for name in (QUALITY if f.name == "quality" else (f.name,))
)
"""Every column, in the order of the record's fields."""
LISTS = frozenset({"FAIL_TO_PASS", "PASS_TO_PASS", "hidden_tests", "lost"})
OPTIONAL = frozenset({"operator", "cost_usd", "reruns", *QUALITY})
"""Columns whose value may be null."""
_ABSENT: dict[str, Any] = {
    "hidden_tests": [],
    "lost": [],
    "failure_excerpt": "",
    "model": "",
    "original_text": "",
    "statement_mode": "",
    "reruns": None,
    **dict.fromkeys(QUALITY),
}
"""Columns that a table may lack, and what stands for them."""
REQUIRED = tuple(name for name in COLUMNS if name not in _ABSENT)
_WHOLE = frozenset({"seed", "reruns", "edited_lines", "edited_files", "edited_hunks", "depth"})
_REAL = frozenset({"cost_usd", "broken_share", "difficulty"})
_TRUTH = frozenset({"names_function"})
_FREE_TEXT = frozenset({"problem_statement", "failure_excerpt", "original_text", "statement_mode"})
"""Prose: a lone surrogate in it is replaced. Anywhere else one would change what the value stands for."""
_INSTANCE_ID = re.compile(r"[A-Za-z0-9_.-]+")


def arrow_schema() -> pa.Schema:
    """The Parquet schema, in the order of the record's fields."""
    import pyarrow as pa

    kinds = {
        **dict.fromkeys(LISTS, pa.list_(pa.string())),
        **dict.fromkeys(_WHOLE, pa.int64()),
        **dict.fromkeys(_REAL, pa.float64()),
        **dict.fromkeys(_TRUTH, pa.bool_()),
    }
    return pa.schema([pa.field(name, kinds.get(name, pa.string()), nullable=name in OPTIONAL) for name in COLUMNS])


def to_row(task: TaskInstance) -> dict[str, Any]:
    """Column name -> value, lists as lists."""
    row = {name: getattr(task.quality if name in QUALITY else task, name) for name in COLUMNS}
    return {name: list(value) if name in LISTS else value for name, value in row.items()}


def storable_row(task: TaskInstance, where: str) -> dict[str, Any]:
    """`to_row` as UTF-8 can hold it. Raises: TaskTableError (a lone surrogate outside of prose)."""
    row = to_row(task)
    for name, value in row.items():
        if name in _FREE_TEXT:
            row[name] = encodable(value)
        elif any(encodable(text) != text for text in (value if name in LISTS else [value]) if isinstance(text, str)):
            raise TaskTableError(f"{where}: column {name!r} holds half of a surrogate pair, which no UTF-8 text can")
    return row


def from_row(row: dict[str, Any], where: str) -> TaskInstance:
    """A task from one row. `where` names file and row in errors. Raises: TaskTableError."""
    values = {name: _value(name, row.get(name, _ABSENT.get(name)), where) for name in COLUMNS}
    measures = TaskQuality(**{name: values.pop(name) for name in QUALITY})
    return TaskInstance(**values, quality=measures)


def _value(name: str, value: object, where: str) -> Any:
    if value is None:
        if name in OPTIONAL:
            return None
        raise TaskTableError(f"{where}: column {name!r} has no value")
    if name in LISTS:
        if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
            raise TaskTableError(f"{where}: column {name!r} must be a list of strings, not {_shown(value)}")
        if name == "FAIL_TO_PASS" and not value:
            raise TaskTableError(f"{where}: column 'FAIL_TO_PASS' is empty, so that nothing tells the bug")
        return tuple(value)
    kinds = _kinds(name)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise TaskTableError(f"{where}: column {name!r} must be of type {kinds[-1].__name__}, not {_shown(value)}")
    if name == "instance_id":
        return check_id(value, where)
    return value


def _kinds(name: str) -> tuple[type, ...]:
    if name in _TRUTH:
        return (bool,)
    return (int,) if name in _WHOLE else (int, float) if name in _REAL else (str,)


def check_id(value: object, where: str) -> str:
    """`value` as an instance id. Raises: TaskTableError."""
    if value is None:
        raise TaskTableError(f"{where}: column 'instance_id' has no value")
    if not isinstance(value, str) or not _INSTANCE_ID.fullmatch(value):
        raise TaskTableError(f"{where}: instance_id {value!r} is not one or more of A-Z, a-z, 0-9, `_`, `.` and `-`")
    return value


def check_columns(schema: pa.Schema, where: str) -> None:
    """That a file's columns are there and of the right types. Raises: TaskTableError."""
    missing = sorted(set(REQUIRED) - set(schema.names))
    if missing:
        raise TaskTableError(f"{where}: column {missing[0]!r} is missing, so it is not a task table of this format")
    for expected in arrow_schema():
        place = schema.get_field_index(expected.name)
        if place < 0 and expected.name in schema.names:
            raise TaskTableError(f"{where}: column {expected.name!r} stands there twice")
        if place >= 0 and not _fits(schema.field(place).type, expected.name):
            raise TaskTableError(
                f"{where}: column {expected.name!r} is of type {schema.field(place).type}, it must be {expected.type}"
            )


def _fits(found: pa.DataType, name: str) -> bool:
    from pyarrow import types

    if types.is_null(found):  # a writer that saw no value had no type; rows without one are told by number
        return True
    if name in LISTS:
        return (types.is_list(found) or types.is_large_list(found)) and _is_text(found.value_type)
    if name in _TRUTH:
        return bool(types.is_boolean(found))
    if name in _WHOLE:
        return bool(types.is_integer(found))
    if name in _REAL:
        return bool(types.is_floating(found) or types.is_integer(found))
    return _is_text(found)


def _is_text(found: pa.DataType) -> bool:
    from pyarrow import types

    inner = found.value_type if types.is_dictionary(found) else found
    return bool(types.is_string(inner) or types.is_large_string(inner) or types.is_null(inner))


def _shown(value: object) -> str:
    kind = type(value).__name__
    if isinstance(value, Sequence) and not isinstance(value, str):
        kinds = sorted({type(item).__name__ for item in value})
        return f"{kind} of {', '.join(kinds)}"
    return f"{kind} {str(value)[:60]!r}"
