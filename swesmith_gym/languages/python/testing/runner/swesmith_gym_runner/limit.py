"""Limits for single tests, by signals; off unless the specification sets them."""

from __future__ import annotations

import os
import signal
from typing import Any, Generator, Mapping, NoReturn  # noqa: UP035  (3.8 cannot subscript those of collections.abc)

import pytest

from .channel import Channel

SLOW_EXIT = 124
"""Exit code of a run that was ended since one test took too long, as that of `timeout`."""


class LimitPlugin:
    """A test that takes longer than `seconds` in one phase fails with a message, and the run goes on.

    The alarm is repeated, so that a test which swallows the exception is stopped again. Code that blocks inside
    one call of a C function is not stopped: the limit of the whole run does that.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timer, self._signal = signal.setitimer, signal.signal

    def _over(self, *_: Any) -> NoReturn:
        pytest.fail(f"the test took longer than its limit of {self._seconds:g} s")

    def _limited(self) -> Generator[None, Any, None]:
        before = self._signal(signal.SIGALRM, self._over)
        self._timer(signal.ITIMER_REAL, self._seconds, self._seconds)
        yield
        self._timer(signal.ITIMER_REAL, 0)
        self._signal(signal.SIGALRM, before)

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_setup(self) -> Generator[None, Any, None]:
        """Limits the set-up."""
        yield from self._limited()

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_call(self) -> Generator[None, Any, None]:
        """Limits the test itself."""
        yield from self._limited()

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_teardown(self) -> Generator[None, Any, None]:
        """Limits the tear-down."""
        yield from self._limited()


class CpuLimitPlugin:
    """A test that uses more processor time than its limit ends the run at once: the line `slow` tells which it was.

    Processor time does not hang on how busy the machine is. What waits without working is left to the run's own limit.
    """

    def __init__(self, channel: Channel, limits: Mapping[str, float], default: float) -> None:
        """`limits`: test id -> seconds; `default`: of tests that are not named there."""
        self.channel = channel
        self.limits = limits
        self.default = default
        self._timer, self._signal = signal.setitimer, signal.signal
        self._exit = os._exit
        self._running = ""

    def _over(self, *_: Any) -> None:
        self.channel.send("slow", id=self._running)
        self._exit(SLOW_EXIT)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: Any) -> Generator[None, Any, None]:
        """All phases of a test together."""
        self._running = item.nodeid
        before = self._signal(signal.SIGPROF, self._over)
        self._timer(signal.ITIMER_PROF, self.limits.get(item.nodeid, self.default))
        yield
        self._timer(signal.ITIMER_PROF, 0)
        self._signal(signal.SIGPROF, before)
