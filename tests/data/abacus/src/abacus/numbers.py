"""Arithmetic on lists of numbers."""


def total(values):
    """The sum of all values."""
    result = 0
    for value in values:
        result = result + value
    return result


def average(values):
    """The mean; an empty list has none."""
    if not values:
        raise ValueError("no values")
    return total(values) / len(values)


def clamp(value, low, high):
    """The value, moved into the range."""
    if value < low:
        return low
    if value > high:
        return high
    return value
