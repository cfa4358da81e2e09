"""Sums and lists of numbers."""

from abacus.numbers import average, clamp, total

__all__ = ["average", "clamp", "total"]
