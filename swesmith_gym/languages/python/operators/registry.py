"""All operators of this process by name: the package's own, and those that a user adds."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Collection
from functools import cache
from typing import Any, TypeVar

from swesmith_gym.errors import InputError
from swesmith_gym.languages.python.operators import catalog
from swesmith_gym.languages.python.operators.base import Operator

Kind = TypeVar("Kind", bound=type[Operator[Any]])
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_added: dict[str, Operator[Any]] = {}


@cache
def built_in() -> dict[str, Operator[Any]]:
    """The package's own operators: module `catalog.NAME` holds the one class whose name is `NAME`."""
    found: dict[str, Operator[Any]] = {}
    for module in sorted(pkgutil.iter_modules(catalog.__path__), key=lambda each: each.name):
        loaded = importlib.import_module(f"{catalog.__name__}.{module.name}")
        for value in vars(loaded).values():
            if isinstance(value, type) and issubclass(value, Operator) and value.__module__ == loaded.__name__:
                found[value.name] = value()
    return found


def register(operator: Kind) -> Kind:
    """Add a class of a user's own; usable as a decorator. Raises: InputError (name malformed or taken, no examples)."""
    name = getattr(operator, "name", "")
    if not _NAME.fullmatch(name):
        raise InputError(f"operator {operator.__qualname__}: name {name!r} must be lower-case letters, digits and _")
    if name in built_in() or name in _added:
        raise InputError(f"operator {operator.__qualname__}: the name {name!r} is taken")
    if not getattr(operator, "valid", ()):
        raise InputError(f"operator {name!r} has no `valid` examples")
    _added[name] = operator()
    return operator


def unregister(name: str) -> None:
    """Take a user's operator out again. Raises: InputError (no such one)."""
    if _added.pop(name, None) is None:
        raise InputError(f"operator {name!r} was not registered")


def names() -> tuple[str, ...]:
    """Names of all operators, sorted."""
    return tuple(sorted([*built_in(), *_added]))


def get(name: str) -> Operator[Any]:
    """One operator. Raises: InputError."""
    operator = built_in().get(name) or _added.get(name)
    if operator is None:
        raise InputError(f"unknown operator {name!r}: there are {', '.join(names())}")
    return operator


def select(chosen: Collection[str] | None) -> list[Operator[Any]]:
    """The operators of these names in sorted order; None: all. Raises: InputError."""
    return [get(name) for name in (names() if chosen is None else sorted(set(chosen)))]
