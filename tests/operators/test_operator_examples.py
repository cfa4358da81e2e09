"""The examples of every operator: it makes exactly the texts that they name, and leaves the rest alone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from swesmith_gym.languages.python.entities import scopes
from swesmith_gym.languages.python.equivalence import equivalent, syntax_error
from swesmith_gym.languages.python.operators import get, names
from swesmith_gym.languages.python.operators.base import ANY, Operator
from swesmith_gym.languages.python.operators.engine import is_sound, ordered, spliced

REFERENCE = {
    "class_rm_base", "class_rm_funcs", "class_shuffle_funcs", "ctrl_invert_if", "ctrl_shuffle", "op_change", "op_swap",
    "op_break_chains", "op_change_const", "remove_assign", "remove_cond", "remove_loop", "remove_wrapper",
    "flip_operators",
}  # fmt: skip


def outcomes(operator: Operator[Any], source: str) -> set[str]:
    """Every text that one edit of the operator makes of a source, complexity and tags aside."""
    found = set()
    for scope in scopes(source):
        if scope.entity.kind not in operator.kinds:
            continue
        ways = [edits for site in operator.sites(scope) for edits in operator.edits(scope, site)]
        found |= {spliced(source, ordered(edits)) for edits in ways if is_sound(scope, ordered(edits))}
    return found


def cases(field: str) -> list[Any]:
    return [
        pytest.param(name, each, id=f"{name}-{n}")
        for name in names()
        for n, each in enumerate(getattr(get(name), field))
    ]


@pytest.mark.parametrize(("name", "example"), cases("valid"))
def test_valid(name: str, example: Any) -> None:
    assert not syntax_error(example.before)
    assert outcomes(get(name), example.before) == set(example.after)
    assert not any(syntax_error(after) or equivalent(example.before, after) for after in example.after)


@pytest.mark.parametrize(("name", "example"), cases("valid"))
def test_valid_carries_the_tags(name: str, example: Any) -> None:
    operator = get(name)
    fitting = [scope.entity for scope in scopes(example.before) if scope.entity.kind in operator.kinds]
    assert any(operator.needs <= entity.tags for entity in fitting)


@pytest.mark.parametrize(("name", "source"), cases("invalid"))
def test_invalid(name: str, source: str) -> None:
    assert not syntax_error(source)
    assert outcomes(get(name), source) == set()


@pytest.mark.parametrize("name", names())
def test_declaration(name: str) -> None:
    operator = get(name)
    assert re.fullmatch(r"[a-z][a-z0-9_]*", operator.name)
    assert operator.name == name
    assert operator.valid
    assert operator.sentence
    assert not operator.sentence.endswith(".")
    assert operator.kinds
    assert operator.kinds <= ANY
    assert 0 < operator.likelihood <= 1
    assert type(operator).__doc__


def test_all_are_there() -> None:
    assert set(names()) >= REFERENCE
    assert len(names()) >= 28
    assert list(names()) == sorted(names())
