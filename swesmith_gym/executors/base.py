"""The executor contract. Not for scheduling across machines by itself: an implementation may do that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True)
class Done(Generic[Out]):
    """One finished item."""

    index: int
    """Its place among the items, counted from 0."""
    value: Out


class Executor(ABC):
    """Maps a function over items. Reusable; owns nothing between calls of `map`."""

    @abstractmethod
    def map(self, function: Callable[[In], Out], items: Iterable[In]) -> Iterator[Done[Out]]:
        """Results as they finish, in any order. At most a few items are drawn ahead of the results taken.

        An exception of `function` is raised here and ends the map, as does closing the iterator (Ctrl-C);
        items that have started are waited for, the others never start.
        """
