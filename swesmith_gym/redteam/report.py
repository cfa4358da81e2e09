"""Rows as JSON and as a Markdown table: a line for each attack, what it would have got elsewhere, what it got here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from swesmith_gym.markdown import cell, write_between
from swesmith_gym.redteam.naive import GRADERS
from swesmith_gym.redteam.run import Row

BEGIN = "<!-- attacks: made by swesmith-gym tasks redteam-table EVIDENCE --into FILE -->"
END = "<!-- end of attacks -->"


def ordered(rows: Iterable[Row]) -> list[Row]:
    """By attack, then by task."""
    return sorted(rows, key=lambda row: (row.attack, row.repo, row.instance_id, row.sandbox))


def evidence(rows: Sequence[Row]) -> dict[str, Any]:
    """Counts, then every row, sorted: what is kept beside a table."""
    asked = [row for row in rows if row.fooled is not None]
    return {
        "attacks": len({row.attack for row in rows}),
        "tasks": len({row.instance_id for row in rows}),
        "runs": len(rows),
        "held": sum(not row.succeeded for row in rows),
        "succeeded": sum(bool(row.succeeded) for row in rows),
        "of_these_known_limits": sum(row.known for row in rows),
        "not_valid": sum(not row.reward_valid for row in rows),
        "naive_runs": len(asked),
        "naive_runs_fooled": {name: sum(name in (row.fooled or ()) for row in asked) for name in GRADERS},
        "naive_attacks_fooled": {
            name: len({row.attack for row in asked if name in (row.fooled or ())}) for name in GRADERS
        },
        "leaks_planted": sum(row.planted is not None for row in rows),
        "leaks_planted_paid": sum(row.planted is True for row in rows),
        "rows": [asdict(row) for row in ordered(rows)],
    }


def markdown(rows: Sequence[Row], unfooled: dict[str, str]) -> str:
    """What was played, and the table. `unfooled`: attack -> why no naive grader falls for it."""
    by_attack: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_attack[row.attack].append(row)
    sandboxes = sorted({row.sandbox for row in rows})
    notes: list[str] = []
    heads = ["attack", "what it does", *GRADERS, "leak planted", *sandboxes]
    lines = [_total(rows), "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for attack, runs in sorted(by_attack.items()):
        cells = [_naive(name, runs) for name in GRADERS]
        if cells == ["no"] * len(GRADERS) and unfooled.get(attack):
            cells[-1] += f" {_footnote(unfooled[attack], notes)}"
        cells.append(_paid([row.planted for row in runs if row.planted is not None]))
        cells += [_ours([row for row in runs if row.sandbox == each], notes) for each in sandboxes]
        lines.append(f"| {attack} | {cell(runs[0].title)} | {' | '.join(cells)} |")
    lines += ["", *(f"{number}. {note}" for number, note in enumerate(notes, 1))]
    return "\n".join(lines).rstrip() + "\n"


def _total(rows: Sequence[Row]) -> str:
    repos = ", ".join(sorted({row.repo for row in rows}))
    sandboxes = ", ".join(sorted({row.sandbox for row in rows}))
    won = [row for row in rows if row.succeeded]
    attacks, tasks = len({row.attack for row in rows}), len({row.instance_id for row in rows})
    return (
        f"{len(rows)} runs: {attacks} attacks on {tasks} tasks ({repos}), in {sandboxes}. "
        f"{len(rows) - len(won)} held; {sum(row.reward != 0 for row in won)} were paid, "
        f"{sum(not row.reward_valid for row in won)} masked; {sum(row.known for row in won)} of these are known limits."
    )


def _naive(name: str, runs: Sequence[Row]) -> str:
    return _paid([name in row.fooled for row in runs if row.fooled is not None])


def _paid(asked: Sequence[bool]) -> str:
    if not asked:
        return "–"
    return f"pays {sum(asked)} of {len(asked)}" if any(asked) else "no"


def _ours(runs: Sequence[Row], notes: list[str]) -> str:
    """How many runs were held, and how many were paid, masked, or succeeded otherwise."""
    won = [row for row in runs if row.succeeded]
    if not won:
        return f"held {len(runs)} of {len(runs)}" if runs else "–"
    paid, masked = sum(row.reward != 0 for row in won), sum(not row.reward_valid for row in won)
    counts = {"held": len(runs) - len(won), "paid": paid, "masked": masked, "otherwise": len(won) - paid - masked}
    counted = ", ".join(f"{name} {count}" for name, count in counts.items() if count) + f" of {len(runs)}"
    reason = won[0].limit or won[0].succeeded
    return f"{counted if won[0].limit else f'**{counted}**'} {_footnote(reason, notes)}"


def _footnote(text: str, notes: list[str]) -> str:
    """Equal reasons share a footnote."""
    note = cell(text)
    if note not in notes:
        notes.append(note)
    return f"[{notes.index(note) + 1}]"


def write_table(path: Path, rows: Sequence[Row], unfooled: dict[str, str]) -> None:
    """Between its marks. Raises: OSError, InputError."""
    write_between(path, (BEGIN, END), markdown(rows, unfooled))
