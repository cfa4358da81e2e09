"""Findings as JSON and as a Markdown table: a row for each case, a column for each backend, reasons as footnotes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swesmith_gym.errors import InputError
from swesmith_gym.home import write_atomic
from swesmith_gym.sandboxes.conformance.case import Case, Finding, Status
from swesmith_gym.sandboxes.conformance.cases import CASES

BEGIN = "<!-- findings: made by python -m swesmith_gym.sandboxes.conformance --table FILE -->"
END = "<!-- end of findings -->"
_GROUPS = {
    "R": "resources",
    "T": "time and processes",
    "O": "output and input",
    "F": "files",
    "N": "network",
    "S": "privilege",
}
_WORDS = {
    Status.PASSED: "pass",
    Status.FAILED: "**FAIL**",
    Status.NOT_PROMISED: "not promised",
    Status.CANNOT_RUN: "cannot run",
}


@dataclass(frozen=True, slots=True)
class Column:
    """What one backend showed on one host, run by one kind of user."""

    title: str
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, name: str, findings: Sequence[Finding]) -> Column:
        user = "as root" if os.geteuid() == 0 else "as an ordinary user"
        return cls(f"{name} {user}", tuple(findings))

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        rows = [
            {
                "id": each.case.id,
                "name": each.case.name,
                "status": each.status.value,
                "detail": each.detail,
                "seconds": round(each.seconds, 2),
            }
            for each in self.findings
        ]
        return {"title": self.title, "findings": rows}


def column(plain: Any) -> Column:
    """What `Column.plain` made. Raises: InputError (something else)."""
    cases = {case.id: case for case in CASES}
    try:
        rows = [
            Finding(cases[row["id"]], Status(row["status"]), row["detail"], row["seconds"]) for row in plain["findings"]
        ]
        return Column(plain["title"], tuple(rows))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"this is no JSON of findings: {type(error).__name__}: {error}") from None


def markdown(columns: Sequence[Column]) -> str:
    """The table and its footnotes."""
    notes: list[str] = []
    lines = [f"| case | | {' | '.join(each.title for each in columns)} |", f"|---|---|{'---|' * len(columns)}"]
    found = [{each.case.id: each for each in one.findings} for one in columns]
    for case in CASES:
        cells = [_cell(one.get(case.id), notes) for one in found]
        lines.append(f"| {case.id} | {_name(case)} | {' | '.join(cells)} |")
    lines += ["", *(f"{number}. {note}" for number, note in enumerate(notes, 1))]
    return "\n".join(lines).rstrip() + "\n"


def _name(case: Case) -> str:
    return f"**{_GROUPS[case.group]}**: {case.name}" if case.id.endswith("01") else case.name


def _cell(finding: Finding | None, notes: list[str]) -> str:
    """Equal reasons share a footnote."""
    if finding is None:
        return "–"
    if not finding.detail:
        return _WORDS[finding.status]
    note = finding.detail.replace("|", "\\|").replace("<", "&lt;")
    if note not in notes:
        notes.append(note)
    return f"{_WORDS[finding.status]} [{notes.index(note) + 1}]"


def write_table(path: Path, columns: Sequence[Column]) -> None:
    """Between the two marks of a file that has them; else the file is the table. Raises: OSError, InputError."""
    text = path.read_text("utf-8") if path.exists() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if text and not (begin and end):
        raise InputError(f"{path} has no place for the table: it must hold the lines {BEGIN!r} and {END!r}")
    write_atomic(path, f"{before}{BEGIN}\n\n{markdown(columns)}\n{END}{after or chr(10)}")
