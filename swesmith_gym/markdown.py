"""Markdown made from data: tables, and the marked place in a page that one stands in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from swesmith_gym.errors import InputError
from swesmith_gym.home import write_atomic


def cell(text: object) -> str:
    """Text that stays inside its cell and is no markup of HTML."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lines of a table, each with its end. Numbers stand to the right where the whole column is of them."""
    made = [list(row) for row in rows]
    right = [bool(made) and all(isinstance(row[place], int | float) for row in made) for place in range(len(heads))]
    rule = "|" + "".join("---:|" if each else "---|" for each in right)
    lines = [_line(heads), rule, *map(_line, made)]
    return "".join(f"{line}\n" for line in lines)


def _line(row: Sequence[object]) -> str:
    return f"| {' | '.join(map(cell, row))} |"


def write_between(path: Path, marks: tuple[str, str], text: str) -> None:
    """Between the two marks of a file that has them; else the file is the text. Raises: OSError, InputError."""
    page = path.read_text("utf-8") if path.exists() else ""
    before, begin, rest = page.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if page and not (begin and end):
        raise InputError(f"{path} has no place for the table: it must hold the lines {marks[0]!r} and {marks[1]!r}")
    write_atomic(path, f"{before}{marks[0]}\n\n{text}\n{marks[1]}{after or chr(10)}")
