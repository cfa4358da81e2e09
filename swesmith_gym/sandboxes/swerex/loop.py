"""Where SWE-ReX's own code runs: one event loop in a thread of each process, and threads for what would hold it up.

SWE-ReX keeps its loop waiting while it starts and stops a deployment; these get a thread and a loop of their own.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_loops: dict[int, asyncio.AbstractEventLoop] = {}
_making = threading.Lock()


def _fresh_lock() -> None:
    """A lock that another thread held while this process was forked would never be free."""
    global _making  # noqa: PLW0603
    _making = threading.Lock()


os.register_at_fork(after_in_child=_fresh_lock)


def _loop() -> asyncio.AbstractEventLoop:
    """That of this process, made on first use."""
    with _making:
        found = _loops.get(os.getpid())
        if found is None:
            found = _loops[os.getpid()] = asyncio.new_event_loop()
            threading.Thread(target=found.run_forever, name="swerex", daemon=True).start()
    return found


def begin(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Let it run; the future may be cancelled from any thread."""
    return asyncio.run_coroutine_threadsafe(work, _loop())


def apart(act: Callable[[], T], limit_s: float) -> T:
    """Do it in a thread of its own, which goes on when time is up. Raises: TimeoutError, and what it raises."""
    future: Future[T] = Future()

    def carry_out() -> None:
        try:
            future.set_result(act())
        except BaseException as error:  # noqa: BLE001 (foreign code: raised again where it was asked for)
            future.set_exception(error)

    threading.Thread(target=carry_out, name="swerex-apart", daemon=True).start()
    return future.result(limit_s)
