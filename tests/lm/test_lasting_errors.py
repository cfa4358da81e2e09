"""Which errors of a model end a job, and which only one item."""

from __future__ import annotations

import pickle

import pytest

from swesmith_gym.errors import BudgetExhausted, ContextExceeded, LMError
from swesmith_gym.records import summed


@pytest.mark.parametrize(
    ("error", "lasting"),
    [
        (LMError("wrong key", status=401), True),
        (LMError("no credit", status=402), True),
        (LMError("forbidden", status=403), True),
        (LMError("no such model", status=404), True),
        (LMError("no such method", status=405), True),
        (LMError("a proxy wants a password", status=407), True),
        (LMError("moved", status=308), True),
        (LMError("no quota", status=429), True),
        (LMError("nobody answers", retryable=True), True),
        (BudgetExhausted("all is spent"), True),
        (LMError("bad request", status=400), False),
        (LMError("too many requests", status=429, retryable=True), False),
        (LMError("garbage", status=200, retryable=True, may_cost=True), False),
        (LMError("down", status=503, retryable=True), False),
        (LMError("broke off", retryable=True, may_cost=True), False),
        (ContextExceeded("too long"), False),
        (ContextExceeded("too long", status=400), False),
    ],
)
def test_what_every_later_request_meets_too_lasts(error: LMError, lasting: bool) -> None:
    assert error.lasting is lasting
    assert pickle.loads(pickle.dumps(error)).lasting is lasting


def test_a_sum_with_something_unknown_is_unknown() -> None:
    assert summed((0.5, 0.25)) == 0.75
    assert summed(each for each in (1, None, 2)) is None
    assert summed(()) == 0
