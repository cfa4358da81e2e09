"""Lists that a page filters, sorts and leafs through by itself, packed small enough for thousands of rows.

A column of text is stored once for each different value; rows hold its index. The page shows the first rows without
a script, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from swesmith_gym.viewer.text import visible

PAGE_ROWS = 50
"""Rows that are shown at a time."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a list."""

    name: str
    kind: str
    """`link` (cells are (text, file)), `number` (None: not known), `badge` (a word with a colour), `text`
    (few different values: offered as a menu) or `id` (many)."""
    minor: bool = False
    """Left out on a narrow screen."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as its template needs it."""

    key: str
    """Id of its place on the page."""
    noun: str
    """What a row is, in the plural."""
    folder: str
    """Where the linked files lie, relative to the page."""
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Any]]

    @property
    def head(self) -> Sequence[Sequence[Any]]:
        """The rows that the page shows before any script runs."""
        return self.rows[:PAGE_ROWS]

    def packed(self) -> dict[str, Any]:
        """Everything that the page's script needs, as plain JSON data."""
        tables: list[dict[str, int]] = [{} for _ in self.columns]
        rows = [
            [_cell(column, value, table) for column, value, table in zip(self.columns, row, tables, strict=True)]
            for row in self.rows
        ]
        columns = [
            {"name": column.name, "kind": column.kind, "minor": column.minor, "values": list(table)}
            for column, table in zip(self.columns, tables, strict=True)
        ]
        return {"page": PAGE_ROWS, "folder": self.folder, "noun": self.noun, "columns": columns, "rows": rows}


def _cell(column: Column, value: Any, table: dict[str, int]) -> Any:
    if column.kind == "link":
        text, file = value
        shown = visible(text)
        return shown if file == f"{shown}.html" else [shown, file]
    if column.kind == "number":
        return value
    return table.setdefault(visible(str(value)), len(table))
