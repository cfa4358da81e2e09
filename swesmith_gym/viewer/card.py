"""The measured part of a folder's dataset card: packages, strategies, operators, evidence, and what making it took."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swesmith_gym.errors import InputError
from swesmith_gym.markdown import table, write_between
from swesmith_gym.pipeline import provenance
from swesmith_gym.records import TaskInstance
from swesmith_gym.tasks import TaskTable
from swesmith_gym.viewer.published import NOTE, side_by_side
from swesmith_gym.viewer.statistics import by_operator, by_strategy

MARKS = ("<!-- card: made by swesmith-gym tasks card FOLDER --into FILE -->", "<!-- end of card -->")


@dataclass(frozen=True, slots=True)
class Package:
    """One table of the folder, and what is kept beside it."""

    tasks: TaskTable
    provenance: dict[str, Any]
    evidence: dict[str, Any]


def read(folder: Path) -> list[Package]:
    """Every table of a folder, by name. Raises: InputError (nothing there, or a table without what is said of it)."""
    paths = sorted(folder.glob("*.parquet"))
    if not paths:
        raise InputError(f"{folder}: there is no task table (*.parquet) in this folder")
    return [_package(path) for path in paths]


def _package(path: Path) -> Package:
    facts = provenance.read(path)
    evidence = path.with_suffix(".verify.json")
    if facts is None or not evidence.is_file():
        raise InputError(f"{path}: provenance and evidence are missing; tables made by `swesmith-gym run` have both")
    try:
        return Package(TaskTable.read(path), facts, json.loads(evidence.read_text("utf-8")))
    except ValueError as error:
        raise InputError(f"{evidence}: not JSON ({error})") from error


def write(folder: Path, into: Path) -> None:
    """Between the marks of `into`. Raises: InputError, OSError."""
    write_between(into, MARKS, markdown(folder))


def markdown(folder: Path) -> str:
    """All sections. Raises: InputError."""
    packages = read(folder)
    tasks = [task for each in packages for task in each.tasks]
    dropped = provenance.dropped(folder)
    parts = [
        _totals(packages, folder),
        f"### Strategies\n\n{side_by_side(by_strategy(tasks, dropped))}\n{NOTE}\n",
        f"### Operators\n\n{side_by_side(by_operator(tasks, dropped), 'operator')}",
        "### Packages\n\n" + table(_PACKAGE_HEADS, map(_row, packages)),
    ]
    return "\n".join(parts)


def _totals(packages: Sequence[Package], folder: Path) -> str:
    size = sum(path.stat().st_size for path in folder.glob("*.parquet"))
    tasks = sum(len(each.tasks) for each in packages)
    gold, nop = (_sum(packages, f"{name}_resolved") for name in ("gold", "nop"))
    gradings = {name: _sum(packages, f"{name}_gradings") for name in ("gold", "nop")}
    reruns = Counter(task.reruns for each in packages for task in each.tasks)
    lines = [
        f"{tasks} tasks from {len(packages)} packages, {size / 1e6:.1f} MB.",
        f"Gold scored 1 in {gold} of {gradings['gold']} gradings, nop in {nop} of {gradings['nop']}.",
        *(f"{number} tasks ran {times} times more, with the bug and without." for times, number in reruns.items()),
        _spent(packages),
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _sum(packages: Sequence[Package], name: str) -> int:
    return sum(int(each.evidence.get(name, 0)) for each in packages)


def _spent(packages: Sequence[Package]) -> str:
    """Time of all phases, where every table says it."""
    spent = [each.provenance.get("spent_s") for each in packages]
    known = [each for each in spent if each]
    if len(known) < len(spent):
        return ""
    phases = {phase for each in known for phase in each}
    sums = {p: [sum(each.get(p, {}).get(kind, 0.0) for each in known) for kind in ("wall", "cpu")] for p in phases}
    told = [f"{phase} {wall / 3600:.1f} h (CPU {cpu / 3600:.1f} h)" for phase, (wall, cpu) in sorted(sums.items())]
    return f"Wall-clock time: {', '.join(told)}."


_PACKAGE_HEADS = ("package", "source", "licence", "Python", "candidates", "tasks", "tests of a task", "rejected")


def _row(package: Package) -> tuple[object, ...]:
    facts = package.provenance
    reasons = facts.get("rejected", {})
    return (
        facts["repo"],
        f"`{facts['source']}`",
        facts["license"],
        facts["interpreter"],
        facts["candidates"],
        len(package.tasks),
        _tests(list(package.tasks)),
        ", ".join(f"{number} {reason}" for reason, number in reasons.items()),
    )


def _tests(tasks: Sequence[TaskInstance]) -> int:
    """How many tests decide a task: the most of all."""
    return max((len(task.FAIL_TO_PASS) + len(task.PASS_TO_PASS) for task in tasks), default=0)
