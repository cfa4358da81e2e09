"""Candidate and rejected files: JSON Lines, with errors that name the line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from swesmith_gym.errors import InputError
from swesmith_gym.home import atomic_file
from swesmith_gym.records import BugCandidate, RejectedCandidate

_TEXT = ("repo", "strategy", "bug_patch")
_DEFAULTS: dict[str, Any] = {
    "operator": None,
    "explanation": "",
    "seed": 0,
    "cost_usd": None,
    "candidate_id": "",
    "model": "",
    "original_text": "",
    "parts": [],
}
_KINDS: dict[str, tuple[type, ...]] = {
    "operator": (str, type(None)),
    "explanation": (str,),
    "seed": (int,),
    "cost_usd": (int, float, type(None)),
    "candidate_id": (str,),
    "model": (str,),
    "original_text": (str,),
    "parts": (list,),
}


def read(path: Path) -> list[BugCandidate]:
    """Every candidate of a file, in order; further fields are ignored. Raises: InputError (file, line, field)."""
    return [_candidate(row, where) for row, where in _rows(path)]


def _rows(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    if not path.is_file():
        raise InputError(f"{path}: no such file; candidates are made by `swesmith-gym bugs generate … --out {path}`")
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _row(line, f"{path} line {number}"), f"{path} line {number}"


def read_rejected(path: Path) -> list[RejectedCandidate]:
    """Every row of a file of rejected candidates. Raises: InputError (file, line, field)."""
    return [
        RejectedCandidate(_candidate(row, where, rejected=True), str(row.get("reason", "")), str(row.get("detail", "")))
        for row, where in _rows(path)
    ]


def _row(line: bytes, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise InputError(f"{where}: not JSON ({error})") from error
    if not isinstance(row, dict):
        raise InputError(f"{where}: a candidate is a JSON object, not {type(row).__name__}")
    return row


def _candidate(row: dict[str, Any], where: str, *, rejected: bool = False) -> BugCandidate:
    """`rejected`: the patch may be empty, of what never became one."""
    for name in _TEXT:
        empty = not row.get(name) and not (rejected and name == "bug_patch")
        if not isinstance(row.get(name), str) or empty:
            raise InputError(f"{where}: the field {name!r} must be text and not empty")
    for name, kinds in _KINDS.items():
        if not isinstance(row.get(name, _DEFAULTS[name]), kinds):
            raise InputError(f"{where}: the field {name!r} has the wrong type ({type(row[name]).__name__})")
    values = {name: row.get(name, default) for name, default in _DEFAULTS.items()}
    values["parts"] = _parts(values["parts"], where)
    return BugCandidate(**{name: row[name] for name in _TEXT}, **values).identified()


def _parts(value: list[Any], where: str) -> tuple[tuple[str, ...], ...]:
    if not all(isinstance(part, list) and part and all(isinstance(test, str) for test in part) for part in value):
        raise InputError(f"{where}: the field 'parts' must be a list of lists of test ids")
    return tuple(map(tuple, value))


def write(path: Path, candidates: Iterable[BugCandidate]) -> int:
    """Write candidates, one a line; returns how many. The file is whole or absent. Raises: OSError."""
    return _write(path, [asdict(candidate) for candidate in candidates])


def write_rejected(path: Path, rejected: Sequence[RejectedCandidate]) -> int:
    """Write rejected candidates with reason and detail, one a line. Raises: OSError."""
    rows = [asdict(each.candidate) | {"reason": each.reason, "detail": each.detail} for each in rejected]
    return _write(path, rows)


def _write(path: Path, rows: list[dict[str, Any]]) -> int:
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=True) + "\n" for row in rows)
    return len(rows)
