"""Asking again after what may pass: longer and longer waits with jitter, and what the endpoint itself asks for."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from swesmith_gym.errors import LMError
from swesmith_gym.lm.base import LM, Completion, Request


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and after how long."""

    attempts: int = 6
    """At most, the first one included."""
    charged_attempts: int = 3
    """Attempts that may have been charged for without an answer (rubbish, time-outs), at most."""
    first_wait_s: float = 1.0
    """Before the second attempt, in seconds; each later wait is twice the one before."""
    longest_wait_s: float = 60.0
    """No wait is longer, whatever the endpoint asks for, in seconds."""

    def wait_s(self, attempt: int, asked_s: float | None, jitter: float) -> float:
        """Seconds to wait after attempt number `attempt` (from 1) failed. `jitter`: from 0 up to 1."""
        backoff = min(self.longest_wait_s, self.first_wait_s * 2.0 ** (attempt - 1)) * (0.5 + jitter / 2)
        asked = 0.0 if asked_s is None else asked_s + self.first_wait_s * jitter
        return min(self.longest_wait_s, max(backoff, asked))


class RetryingLM:
    """Asks an inner model again where its error says that this may help. Thread-safe; holds nothing while it waits."""

    def __init__(
        self,
        inner: LM,
        policy: RetryPolicy,
        *,
        sleep: Callable[[float], object] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._inner, self._policy, self._sleep, self._jitter = inner, policy, sleep, jitter

    @property
    def model(self) -> str:
        """As the inner one."""
        return self._inner.model

    def complete(self, request: Request) -> Completion:
        """As the inner one. Raises: LMError (the last one, with the number of attempts)."""
        charged = 0
        for attempt in count(1):
            try:
                return self._inner.complete(request)
            except LMError as error:
                charged += error.may_cost
                if not error.retryable:
                    raise
                if attempt >= self._policy.attempts or charged >= self._policy.charged_attempts:
                    raise _after(error, attempt) from error
                wait_s = self._policy.wait_s(attempt, error.retry_after_s, self._jitter())
            self._sleep(wait_s)
        raise AssertionError("a count ends")


def _after(error: LMError, attempts: int) -> LMError:
    return LMError(
        f"{error} (after {attempts} attempt{'s' * (attempts > 1)})",
        provider=error.provider,
        status=error.status,
        retryable=True,
        may_cost=error.may_cost,
        retry_after_s=error.retry_after_s,
    )
