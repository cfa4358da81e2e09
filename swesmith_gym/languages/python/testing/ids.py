"""The parts of a test id: `path/to/file.py::Class::function[case]`."""

from __future__ import annotations

import posixpath
from functools import lru_cache


@lru_cache(maxsize=1 << 17)
def module_of(test_id: str) -> str:
    """The file in front of the first `::`."""
    return test_id.split("::", 1)[0]


def without_case(test_id: str) -> str:
    """The id of the test that this is one case of; of a test without cases, its own."""
    return test_id.split("[", 1)[0]


@lru_cache(maxsize=1 << 17)
def names_of(test_id: str) -> tuple[str, ...]:
    """Names of classes and function, the case in brackets left out; empty where the id is a file's."""
    _, _, rest = test_id.partition("::")
    return tuple(without_case(rest).split("::")) if rest else ()


@lru_cache(maxsize=1 << 16)
def is_doctest(test_id: str) -> bool:
    """The id is that of a doctest: its name is a dotted path, a file's name, or that of a module."""
    names = names_of(test_id)
    if len(names) != 1:
        return False
    stem = posixpath.splitext(posixpath.basename(module_of(test_id)))[0]
    looks_like_test = stem.startswith("test") or stem.endswith("_test")
    return "." in names[0] or (names[0] == stem and not looks_like_test)
