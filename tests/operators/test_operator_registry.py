"""Registering a user's own operators."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

import pytest

from swesmith_gym.errors import InputError
from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators import (
    Edit,
    Example,
    Operator,
    get,
    mutations,
    names,
    register,
    replace,
    unregister,
)


class Zero(Operator[ast.Constant]):
    """Every constant becomes zero."""

    name = "all_zero"
    sentence = "a constant became zero"
    valid = (Example.of("def f(): return 5", "def f(): return 0"),)

    def sites(self, scope: Scope) -> Iterator[ast.Constant]:
        yield from scope.find(ast.Constant)

    def edits(self, scope: Scope, site: ast.Constant) -> Iterator[tuple[Edit, ...]]:
        yield (replace(scope, site, "0"),)


@pytest.fixture
def zero() -> Iterator[None]:
    register(Zero)
    yield
    unregister("all_zero")


@pytest.mark.usefixtures("zero")
def test_a_registered_operator_takes_part() -> None:
    assert "all_zero" in names()
    made = [
        each for each in mutations("m.py", "def f():\n    return 5\n", random.Random(0)) if each.operator == "all_zero"
    ]
    assert [each.source for each in made] == ["def f():\n    return 0\n"]
    assert made[0].explanation == "In `f`, a constant became zero (`5` became `0`)."


@pytest.mark.usefixtures("zero")
def test_a_no_op_of_a_user_is_never_a_mutation() -> None:
    assert list(mutations("m.py", "def f():\n    return 0\n", random.Random(0), ["all_zero"])) == []


@pytest.mark.usefixtures("zero")
def test_a_name_can_be_taken_once() -> None:
    with pytest.raises(InputError, match="all_zero"):
        register(Zero)


def test_bad_declarations() -> None:
    for attributes in ({"name": "op_change"}, {"name": "Bad-Name"}, {"name": "no_examples", "valid": ()}):
        with pytest.raises(InputError):
            register(type("Broken", (Zero,), attributes))


def test_unknown_names() -> None:
    for call in (
        lambda: get("nothing"),
        lambda: unregister("op_change"),
        lambda: list(mutations("m.py", "", random.Random(0), ["nothing"])),
    ):
        with pytest.raises(InputError):
            call()
