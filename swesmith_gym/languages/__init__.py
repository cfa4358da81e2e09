"""Languages, one folder each; `get` is the door."""

from __future__ import annotations

from functools import cache

from swesmith_gym.errors import InputError
from swesmith_gym.languages.base import Language

NAMES = ("python",)


@cache
def get(name: str) -> Language:
    """The language called `name`. Raises: InputError."""
    if name == "python":
        from swesmith_gym.languages.python.language import Python

        return Python()
    raise InputError(f"unknown language {name!r}: this version knows {', '.join(NAMES)}")
