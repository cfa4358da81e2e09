"""Limits of rate: so many requests in a minute, so many at once, and none while the endpoint asks for a pause."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from swesmith_gym.errors import LMError
from swesmith_gym.lm.base import LM, Completion, Request

_MINUTE_S = 60.0
_TOO_MANY = 429


class RateLimitedLM:
    """Lets requests through when they may begin: `requests_per_minute` in any 60 seconds. Thread-safe."""

    def __init__(
        self,
        inner: LM,
        *,
        concurrency: int,
        requests_per_minute: int | None = None,
        longest_pause_s: float = _MINUTE_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """`longest_pause_s`: no pause that an endpoint asks for is longer. `clock` and `sleep` are in seconds."""
        self._inner, self._clock, self._sleep = inner, clock, sleep
        self._places = threading.BoundedSemaphore(concurrency)
        self._lock = threading.Lock()
        self._begun: deque[float] = deque(maxlen=requests_per_minute or 1)
        self._limited = requests_per_minute is not None
        self._longest_pause_s = longest_pause_s
        self._pause_ends = float("-inf")

    @property
    def model(self) -> str:
        """As the inner one."""
        return self._inner.model

    def complete(self, request: Request) -> Completion:
        """As the inner one, when it is this request's turn."""
        with self._places:
            self._wait()
            try:
                return self._inner.complete(request)
            except LMError as error:
                if error.status == _TOO_MANY and error.retry_after_s is not None:
                    self._pause(error.retry_after_s)
                raise

    def _wait(self) -> None:
        while (wait_s := self._begin()) > 0:
            self._sleep(wait_s)

    def _begin(self) -> float:
        """Note that a request begins now, and give 0; or seconds until it may try again, since others may be first."""
        with self._lock:
            now = self._clock()
            full = self._limited and len(self._begun) == self._begun.maxlen
            wait_s = max(self._pause_ends, self._begun[0] + _MINUTE_S if full else now) - now
            if wait_s <= 0:
                self._begun.append(now)
            return max(0.0, wait_s)

    def _pause(self, asked_s: float) -> None:
        with self._lock:
            self._pause_ends = max(self._pause_ends, self._clock() + min(asked_s, self._longest_pause_s))
