"""Calls of code under test: each has a time limit, and whatever it raises is kept. What they mean is not known here."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


class Violation(AssertionError):
    """A promise of the contract is broken; the text says which. Never leaves the suite."""


class Overdue(Violation):
    """A call did not come back in time."""


class CannotRun(Exception):
    """The host, or the sandbox's file system, lacks what a case needs. Never leaves the suite."""


class Caught:
    """Keeps what is raised below it, short of what ends the program: a backend of somebody else's may raise anything,
    and each error is a finding."""

    error: Exception | None = None

    def __enter__(self) -> Caught:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, Exception):
            self.error = error
            return True
        return False


class Worker:
    """One thread that makes the calls of one sandbox, so that a call that hangs holds nobody up.

    Always the same thread: a backend may tie a process to the thread that started it. Made and ended by a `Trial`.
    """

    def __init__(self) -> None:
        self.stuck = False
        self._calls: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._ends: queue.SimpleQueue[tuple[list[Any], Exception | None]] = queue.SimpleQueue()
        threading.Thread(target=self._serve, daemon=True).start()

    def do(self, call: Callable[[], T], limit_s: float) -> T:
        """What the call returns. Raises: Overdue, and what the call raises."""
        self._calls.put(call)
        try:
            value, error = self._ends.get(timeout=limit_s)
        except queue.Empty:
            self.stuck = True
            raise Overdue(f"a call did not come back within {limit_s:g} s") from None
        if error is not None:
            raise error
        found: T = value[0]
        return found

    def end(self) -> None:
        """Let the thread end after the call that it is in."""
        self._calls.put(None)

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            value = []
            with Caught() as caught:
                value.append(call())
            self._ends.put((value, caught.error))
