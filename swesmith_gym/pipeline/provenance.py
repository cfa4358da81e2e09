"""What a table was made from, what became of every candidate, and what that took: `NAME.provenance.json` beside it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from swesmith_gym.errors import InputError
from swesmith_gym.records import RejectedCandidate, summed


@dataclass(frozen=True, slots=True)
class Dropped:
    """Candidates of one strategy and operator that became no task, for one reason."""

    strategy: str
    operator: str | None
    reason: str
    """One of REJECTION_REASONS."""
    candidates: int
    cost_usd: float | None
    """Of all of them; None: not known of every one."""


def grouped(rejected: Iterable[RejectedCandidate]) -> list[Dropped]:
    """Counts by strategy, operator and reason, in that order."""
    groups: dict[tuple[str, str, str], list[RejectedCandidate]] = defaultdict(list)
    for each in rejected:
        groups[each.candidate.strategy, each.candidate.operator or "", each.reason].append(each)
    found = []
    for (strategy, operator, reason), rows in sorted(groups.items()):
        total = summed(row.candidate.cost_usd for row in rows)
        found.append(Dropped(strategy, operator or None, reason, len(rows), total))
    return found


def by_reason(rejected: Iterable[RejectedCandidate]) -> dict[str, int]:
    """Reason -> how many, most first."""
    return dict(Counter(each.reason for each in rejected).most_common())


def path_of(table: Path) -> Path:
    """The file that stands beside a table."""
    return table.with_suffix(".provenance.json")


def read(table: Path) -> dict[str, Any] | None:
    """What is known of one table; None where nothing is. Raises: InputError (file, what is wrong)."""
    path = path_of(table)
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable as JSON ({error})") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: must hold an object, not a {type(found).__name__}")
    return found


def dropped(source: Path) -> list[Dropped] | None:
    """Of a table, or of every one of a folder; None where that is not known of all. Raises: InputError."""
    groups: list[Dropped] = []
    for table in sorted(source.glob("*.parquet")) if source.is_dir() else [source]:
        found = read(table)
        if found is None or "dropped" not in found:
            return None
        try:
            groups += [Dropped(**row) for row in found["dropped"]]
        except TypeError as error:
            raise InputError(f"{path_of(table)}: the field 'dropped' is not as it should be ({error})") from error
    return groups


def rows(groups: Iterable[Dropped]) -> list[dict[str, Any]]:
    """As they stand in the file."""
    return [asdict(group) for group in groups]
