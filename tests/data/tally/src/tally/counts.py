"""Counting, in order."""

from sortedcontainers import SortedDict


class Tally:
    """How often each thing was seen, smallest thing first."""

    def __init__(self):
        self.seen = SortedDict()

    def add(self, thing, times=1):
        if times < 1:
            raise ValueError("at least once")
        self.seen[thing] = self.seen.get(thing, 0) + times

    def items(self):
        return list(self.seen.items())


def total(tally):
    """Of all counts."""
    return sum(times for _, times in tally.items())


def largest(tally):
    """The largest thing, or None."""
    items = tally.items()
    return items[-1][0] if items else None
