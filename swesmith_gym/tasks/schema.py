"""Columns of a task table: the one place that says how a `TaskInstance` lies in Parquet."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from swesmith_gym.errors import TaskTableError
from swesmith_gym.records import TaskInstance

if TYPE_CHECKING:
    import pyarrow as pa

_LISTS = frozenset({"FAIL_TO_PASS", "PASS_TO_PASS", "hidden_tests", "lost"})
_OPTIONAL = frozenset({"operator", "cost_usd"})
_ABSENT: dict[str, Any] = {"hidden_tests": [], "lost": [], "failure_excerpt": ""}
"""Columns that a table may lack, and what stands for them."""


def arrow_schema() -> pa.Schema:
    """The Parquet schema, in the order of the record's fields."""
    import pyarrow as pa

    kinds = {"seed": pa.int64(), "cost_usd": pa.float64()}
    return pa.schema(
        [
            pa.field(
                f.name,
                pa.list_(pa.string()) if f.name in _LISTS else kinds.get(f.name, pa.string()),
                nullable=f.name in _OPTIONAL,
            )
            for f in fields(TaskInstance)
        ]
    )


def to_row(task: TaskInstance) -> dict[str, Any]:
    """Column name -> value, lists as lists."""
    return {
        f.name: list(getattr(task, f.name)) if f.name in _LISTS else getattr(task, f.name) for f in fields(TaskInstance)
    }


def from_row(row: dict[str, Any], where: str) -> TaskInstance:
    """A task from one row. `where` names file and row in errors. Raises: TaskTableError."""
    values: dict[str, Any] = {}
    for f in fields(TaskInstance):
        value = row.get(f.name, _ABSENT.get(f.name))
        if value is None and f.name not in _OPTIONAL:
            raise TaskTableError(f"{where}: column {f.name!r} has no value")
        values[f.name] = tuple(value or ()) if f.name in _LISTS else value
    return TaskInstance(**values)
