"""Costs, and other numbers that may not be known: unknown is None, never 0."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

N = TypeVar("N", int, float)


def summed(numbers: Iterable[N | None]) -> N | None:
    """Their sum; None where one or more of them is not known."""
    found = list(numbers)
    known = [each for each in found if each is not None]
    return sum(known) if len(known) == len(found) else None
