"""How long and how often is asked again, and how many requests are let through: with a clock that tests turn."""

from __future__ import annotations

import contextlib
import threading

import pytest
from lm.asking import ask

from swesmith_gym.errors import BudgetExhausted, ContextExceeded, LMError
from swesmith_gym.lm import RetryPolicy, ScriptedLM
from swesmith_gym.lm.base import Completion, Request
from swesmith_gym.lm.limits import RateLimitedLM
from swesmith_gym.lm.retries import RetryingLM
from swesmith_gym.lm.scripted import Answer


def busy(retry_after_s: float | None = None) -> LMError:
    return LMError("busy", provider="p", status=429, retryable=True, retry_after_s=retry_after_s)


def rubbish() -> LMError:
    return LMError("rubbish", provider="p", status=200, retryable=True, may_cost=True)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, wait_s: float) -> None:
        self.slept.append(wait_s)
        self.now += wait_s


USUAL = RetryPolicy()


def retrying(*answers: Answer, policy: RetryPolicy = USUAL, jitter: float = 1.0) -> tuple[RetryingLM, Clock]:
    clock = Clock()
    return RetryingLM(ScriptedLM(answers), policy, sleep=clock.sleep, jitter=lambda: jitter), clock


def test_waits_grow_and_have_jitter() -> None:
    model, clock = retrying(*[busy()] * 4, "done")
    assert model.complete(ask()).text == "done"
    assert clock.slept == [1, 2, 4, 8]
    model, clock = retrying(*[busy()] * 4, "done", jitter=0.0)
    model.complete(ask())
    assert clock.slept == [0.5, 1, 2, 4]


def test_the_endpoints_own_wish_is_honoured_within_bounds() -> None:
    model, clock = retrying(busy(10.0), busy(3600.0), busy(0.0), "done", jitter=0.5)
    model.complete(ask())
    assert clock.slept == [10.5, 60, 3.0]


def test_no_wait_is_longer_than_the_longest() -> None:
    model, clock = retrying(*[busy()] * 11, "done", policy=RetryPolicy(attempts=12))
    model.complete(ask())
    assert max(clock.slept) == clock.slept[-1] == 60


def test_what_stays_is_raised_with_the_number_of_attempts() -> None:
    model, clock = retrying(*[busy(2.0)] * 9)
    with pytest.raises(LMError, match=r"^busy \(after 6 attempts\)$") as caught:
        model.complete(ask())
    assert (caught.value.provider, caught.value.status, caught.value.retryable) == ("p", 429, True)
    assert len(clock.slept) == 5


def test_what_may_have_been_charged_is_asked_again_less_often() -> None:
    model, clock = retrying(busy(), rubbish(), busy(), rubbish(), rubbish(), "never")
    with pytest.raises(LMError, match=r"rubbish \(after 5 attempts\)"):
        model.complete(ask())
    assert len(clock.slept) == 4


@pytest.mark.parametrize("kind", [ContextExceeded, BudgetExhausted, LMError])
def test_what_cannot_pass_is_raised_at_once_and_as_it_is(kind: type[LMError]) -> None:
    error = kind("no", provider="p")
    model, clock = retrying(error, "never")
    with pytest.raises(kind) as caught:
        model.complete(ask())
    assert caught.value is error
    assert clock.slept == []


def limited(*answers: Answer, per_minute: int | None = None) -> tuple[RateLimitedLM, Clock, list[float]]:
    clock, begun = Clock(), list[float]()
    script = ScriptedLM(answers or ["x"] * 20)

    class Noting:
        model = "noting"

        def complete(self, request: Request) -> Completion:
            begun.append(clock.now - 1000)
            return script.complete(request)

    model = RateLimitedLM(
        Noting(), concurrency=1, requests_per_minute=per_minute, clock=lambda: clock.now, sleep=clock.sleep
    )
    return model, clock, begun


def test_no_minute_has_more_requests_than_allowed() -> None:
    model, clock, begun = limited(per_minute=3)
    for pause in (0, 10, 0, 0, 0, 0, 45, 0, 100, 0):
        clock.now += pause
        model.complete(ask())
    assert begun == [0, 10, 10, 60, 70, 70, 120, 130, 230, 230]
    assert all(sum(start <= other < start + 60 for other in begun) <= 3 for start in begun)


def test_without_a_limit_nothing_waits() -> None:
    model, clock, _ = limited()
    for _ in range(20):
        model.complete(ask())
    assert clock.slept == []


def test_a_pause_that_the_endpoint_asks_for_holds_for_all() -> None:
    model, _, begun = limited(busy(20.0), "x", busy(9999.0), "x", busy(None), "x")
    for _ in range(3):
        with pytest.raises(LMError):
            model.complete(ask())
        model.complete(ask())
    assert begun == [0, 20, 20, 80, 80, 80]


def test_after_a_pause_the_minute_counts_from_when_requests_began() -> None:
    model, _, begun = limited("x", "x", busy(50.0), *["x"] * 5, per_minute=3)
    for _ in range(8):
        with contextlib.suppress(LMError):
            model.complete(ask())
    assert begun == [0, 0, 0, 60, 60, 60, 120, 120]


def test_never_more_at_once_than_allowed() -> None:
    inside, most, lock, gate = 0, 0, threading.Lock(), threading.Barrier(3)

    class Counting:
        model = "counting"

        def complete(self, request: Request) -> Completion:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            gate.wait(30)  # passes only if three are inside together
            with lock:
                inside -= 1
            return ScriptedLM(["x"]).complete(request)

    model = RateLimitedLM(Counting(), concurrency=3)
    threads = [threading.Thread(target=model.complete, args=(ask(str(n)),)) for n in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 3


def test_a_failed_request_gives_its_place_back() -> None:
    model = RateLimitedLM(ScriptedLM([busy(), "x"]), concurrency=1)
    with pytest.raises(LMError):
        model.complete(ask())
    assert model.complete(ask()).text == "x"
