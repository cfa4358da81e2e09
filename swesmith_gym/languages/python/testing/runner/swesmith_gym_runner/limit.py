"""A time limit for each phase of each test, by the alarm signal; off unless the specification sets one."""

from __future__ import annotations

import signal
from typing import Any, Generator, NoReturn  # noqa: UP035  (3.8 cannot subscript those of collections.abc)

import pytest


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
