"""Checks of the arguments that environments take."""

from __future__ import annotations

from collections.abc import Mapping

from swesmith_gym.errors import InputError

_CHOICES: Mapping[str, tuple[str | None, ...]] = {
    "hide_tests": ("functions", "files", "none"),
    "grading": ("full", "impacted"),
    "on_fault": ("mask", "raise"),
    "render_mode": (None, "ansi"),
}


def check_choices(**given: str | None) -> None:
    """Raises: InputError (names the argument and what it may be)."""
    for name, value in given.items():
        if value not in _CHOICES[name]:
            raise InputError(f"{name} is {value!r}: it must be one of {', '.join(map(repr, _CHOICES[name]))}")


def check_limits(**given: float) -> None:
    """Raises: InputError (a limit that is not above 0)."""
    for name, number in given.items():
        if not number > 0:  # NaN included
            raise InputError(f"{name} is {number}: it must be more than 0")
