"""Choosing tasks by their measures: conditions such as `depth>=2` on the fields of `TaskQuality`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from swesmith_gym.errors import InputError
from swesmith_gym.records import TaskInstance
from swesmith_gym.tasks.schema import QUALITY

_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
_FORM = re.compile(r"\s*(\w+)\s*(<=|>=|<|>|=)\s*([-+.\w]+)\s*")
_TRUTH = {"true": 1.0, "false": 0.0}
USUAL = ("broken_share<=0.5",)
"""What drops the tasks that nobody would train on: nearly everything is broken, whatever one looks at."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One measure compared with one value. A task that lacks the measure meets it."""

    measure: str
    sign: str
    value: float

    def holds(self, task: TaskInstance) -> bool:
        """The task meets it."""
        found = getattr(task.quality, self.measure)
        return found is None or _SIGNS[self.sign](float(found), self.value)

    def __str__(self) -> str:
        return f"{self.measure}{self.sign}{self.value:g}"


@dataclass(frozen=True, slots=True)
class Filtered:
    """What was kept, and what dropped the others."""

    kept: tuple[TaskInstance, ...]
    dropped: dict[str, int]
    """Condition -> tasks that it was the first to drop."""
    unknown: int
    """Tasks that were kept although a measure that was asked for is not known of them."""


def condition(text: str) -> Condition:
    """`NAME<=VALUE`, or with `>=`, `<`, `>`, `=`; `true` and `false` are values. Raises: InputError."""
    match = _FORM.fullmatch(text)
    if not match:
        raise InputError(f"{text!r} is no condition: write NAME<=VALUE, for instance depth>=2")
    name, sign, value = match.groups()
    if name not in QUALITY:
        raise InputError(f"{text!r}: there is no measure {name!r}; known are {', '.join(QUALITY)}")
    try:
        return Condition(name, sign, _TRUTH[value.lower()] if value.lower() in _TRUTH else float(value))
    except ValueError as error:
        raise InputError(f"{text!r}: {value!r} is neither a number nor true or false") from error


def choose(tasks: Iterable[TaskInstance], conditions: Sequence[Condition]) -> Filtered:
    """The tasks that meet every condition, in their order."""
    kept: list[TaskInstance] = []
    dropped = {str(each): 0 for each in conditions}
    unknown = 0
    for task in tasks:
        failed = next((each for each in conditions if not each.holds(task)), None)
        if failed is not None:
            dropped[str(failed)] += 1
            continue
        unknown += any(getattr(task.quality, each.measure) is None for each in conditions)
        kept.append(task)
    return Filtered(tuple(kept), dropped, unknown)
