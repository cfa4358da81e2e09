"""Byte code of an original in foreign files: what says little counts only among its own kind."""

from __future__ import annotations

import marshal
from types import CodeType

import pytest

from swesmith_gym.languages.python.copies import Originals

ORIGINAL = """
class Store:
    def __init__(self, path):
        self.path = path

    def read(self, count):
        with open(self.path) as file:
            return file.read(count)

    def lines(self):
        return [line.strip() for line in self.read(-1).split("\\n") if line and not line.startswith("#")]
"""
STRANGER = """
class Mailbox:
    def __init__(self, path):
        self.path = path

    def lock(self):
        raise NotImplementedError

    def flush(self, seconds=3):
        return seconds * 2

"""
SMALL = "def __init__(self, path):\n    self.path = path\n"
LONG = ORIGINAL[ORIGINAL.index("    def lines") :].replace("    def", "def")


def _found(wanted: str, code: CodeType) -> list[tuple[str, str]]:
    return Originals([("task", ORIGINAL, [wanted])]).of_byte_code(marshal.dumps(code))[0]


@pytest.mark.parametrize("text", [ORIGINAL, SMALL, ORIGINAL.replace("strip", "rstrip")])
def test_a_small_function_is_found_alone_and_among_its_own(text: str) -> None:
    assert ("task", "__init__") in _found("__init__", compile(text, "somewhere.py", "exec"))


def test_a_small_function_is_found_without_a_module() -> None:
    module = compile(SMALL, "somewhere.py", "exec")
    alone = next(each for each in module.co_consts if isinstance(each, CodeType))
    assert _found("__init__", alone) == [("task", "__init__")]


def test_a_small_function_that_a_strange_module_has_as_well_says_nothing() -> None:
    assert _found("__init__", compile(STRANGER, "somewhere.py", "exec")) == []


def test_a_long_function_is_found_wherever_it_is() -> None:
    assert ("task", "lines") in _found("lines", compile(STRANGER + LONG, "somewhere.py", "exec"))
