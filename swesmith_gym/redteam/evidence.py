"""The evidence of a campaign as a file: counts, then a line for each run, short enough to be kept with the code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path

from swesmith_gym.errors import InputError
from swesmith_gym.home import write_atomic
from swesmith_gym.redteam import registry, report
from swesmith_gym.redteam.run import Row

_OF_THE_ATTACK = ("threat", "title", "limit")
_COLUMNS = tuple(each.name for each in fields(Row) if each.name not in (*_OF_THE_ATTACK, "key"))
"""What a file holds of a row: not what the attack itself says, and no key."""


def write(path: Path, rows: Sequence[Row]) -> None:
    """Raises: OSError."""
    found = {name: value for name, value in report.evidence(rows).items() if name != "rows"}
    head = json.dumps({**found, "columns": _COLUMNS}, indent=1).removesuffix("\n}")
    lines = (json.dumps([getattr(row, name) for name in _COLUMNS]) for row in report.ordered(rows))
    write_atomic(path, head + ',\n "rows": [\n  ' + ",\n  ".join(lines) + "\n ]\n}\n")


def read(paths: Iterable[Path]) -> list[Row]:
    """The rows of several files, each run once. Raises: OSError, InputError (no such file, or of another version)."""
    rows = [row for path in paths for row in _of_file(path)]
    return report.ordered({(row.attack, row.instance_id, row.sandbox): row for row in rows}.values())


def _of_file(path: Path) -> list[Row]:
    known = {each.id: each for each in registry.ATTACKS}
    try:
        found = json.loads(path.read_text("utf-8"))
        plain = [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]
        return [
            Row(
                **{**row, "fooled": None if row["fooled"] is None else tuple(row["fooled"])},
                **{name: getattr(known[row["attack"]], name) for name in _OF_THE_ATTACK},
            )
            for row in plain
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no evidence of these attacks: play them again with --out {path}") from error
