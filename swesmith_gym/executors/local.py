"""Executors on this machine. Work here waits for sandboxes, so threads are enough (decision record 0006)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from swesmith_gym.executors.base import Done, Executor, In, Out


class SerialExecutor(Executor):
    """One item after the other, in the caller's thread."""

    def map(self, function: Callable[[In], Out], items: Iterable[In]) -> Iterator[Done[Out]]:
        for index, item in enumerate(items):
            yield Done(index, function(item))


class LocalExecutor(Executor):
    """A pool of `workers` threads."""

    def __init__(self, workers: int) -> None:
        self.workers = max(1, workers)

    def map(self, function: Callable[[In], Out], items: Iterable[In]) -> Iterator[Done[Out]]:
        source = enumerate(items)
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="swesmith-gym")
        running: dict[Future[Out], int] = {}
        try:
            while True:
                while len(running) < 2 * self.workers and (pair := next(source, None)) is not None:
                    running[pool.submit(function, pair[1])] = pair[0]
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield Done(running.pop(future), future.result())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
