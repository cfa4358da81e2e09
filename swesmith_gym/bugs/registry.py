"""Bug strategies by name: the door to all of them. What a strategy does is in its own module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from swesmith_gym.bugs.base import Strategy
from swesmith_gym.bugs.combine import CombineFile, CombineModule
from swesmith_gym.bugs.procedural import Procedural
from swesmith_gym.errors import InputError
from swesmith_gym.records import TaskInstance, content_id


@dataclass(frozen=True, slots=True)
class Means:
    """What a user gives strategies to work with. Each takes what it needs."""

    operators: Sequence[str] = ()
    """Names of the syntax-tree operators to use; empty: all."""
    tasks: Sequence[TaskInstance] = ()
    """Validated bugs to combine."""

    def key(self, strategy: str) -> str:
        """Equal for means of which this strategy makes the same."""
        combines = strategy in (CombineFile.name, CombineModule.name)
        return content_id(self.operators, [task.instance_id for task in self.tasks] if combines else [])


MAKERS: dict[str, Callable[[Means], Strategy]] = {
    Procedural.name: lambda means: Procedural(tuple(means.operators)),
    CombineFile.name: lambda means: CombineFile(means.tasks),
    CombineModule.name: lambda means: CombineModule(means.tasks),
}
"""Every strategy of this version."""


def strategy(name: str, means: Means) -> Strategy:
    """A strategy, ready to be asked. Raises: InputError (there is none of that name, or it lacks something)."""
    make = MAKERS.get(name)
    if make is None:
        raise InputError(f"unknown strategy {name!r}: this version has {', '.join(sorted(MAKERS))}")
    return make(means)
