"""Counts."""

from tally.counts import Tally, largest, total

__all__ = ["Tally", "largest", "total"]
