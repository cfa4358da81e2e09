"""Frames between driver and process 1: what goes in comes out, and broken input is an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swesmith_gym.sandboxes.inside import wire

PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.binary(),
    st.text(st.characters(exclude_categories=["Cs"])),
)
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=20)


@given(VALUES)
def test_round_trip(value: object) -> None:
    assert wire.loads(wire.dumps(value)) == value
    data = wire.frame(value)
    assert wire.frame_length(data[:4]) == len(data) - 4


@given(st.binary())
def test_broken_input_is_a_value_error(data: bytes) -> None:
    try:
        value = wire.loads(data)
    except ValueError:
        return
    assert wire.dumps(value) is not None


@given(VALUES, st.data())
def test_cut_off_input(value: object, data: st.DataObject) -> None:
    whole = wire.dumps(value)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ValueError):
        wire.loads(whole[:cut])


def test_names_that_are_not_utf8() -> None:
    assert wire.loads(wire.dumps("a\udcffb")) == "a\udcffb"


def test_deep_and_long_input() -> None:
    with pytest.raises(ValueError):
        wire.loads(b"l\0\0\0\1" * 10_000)
    with pytest.raises(ValueError):
        wire.frame_length(b"\xff\xff\xff\xff")
    with pytest.raises(TypeError):
        wire.dumps(object())
