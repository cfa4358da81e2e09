"""Warm pools: things that take long to start, made in the background before they are asked for.

A pool knows nothing of sandboxes: it keeps a few of each kind ready, replaces those that are taken or have died, and
never holds more than its total. A kind is kept warm once it has been asked for a second time: what is used once costs
nothing.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from swesmith_gym.errors import SandboxError

T = TypeVar("T")
PATIENCE_S = 10.0
"""What is ordered is made even where somebody has asked for quiet all this time."""


@dataclass(frozen=True)
class Handling(Generic[T]):
    """What a pool does with its things."""

    healthy: Callable[[T], bool]
    """Asked at hand-over."""
    discard: Callable[[T], None]
    """Ends one. Never raises."""


class WarmPool(Generic[T]):
    """Thread-safe. One per process; `close` ends everything in it, and waits for what is being made."""

    def __init__(self, handling: Handling[T], *, each: int, total: int) -> None:
        """`each`: how many of a kind are kept. `total`: how many of all kinds."""
        self._handling = handling
        self._each, self._total = each, total
        self._ready: OrderedDict[str, deque[T]] = OrderedDict()
        self._asked: dict[str, int] = {}
        self._orders: deque[tuple[str, Callable[[], T]]] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._making = False
        self._quiet = 0
        self._closed = False

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Nothing is begun to be made meanwhile: something is under way that needs the processors."""
        with self._changed:
            self._quiet += 1
        try:
            yield
        finally:
            with self._changed:
                self._quiet -= 1
                self._changed.notify_all()

    def take(self, kind: str, make: Callable[[], T]) -> T | None:
        """A healthy one that was ready, or None; others are made for the next time."""
        with self._changed:
            self._asked[kind] = self._asked.get(kind, 0) + 1
            found = self._pop(kind)
            if self._asked[kind] > 1 and not self._closed:
                self._order(kind, make)
        return found

    def close(self) -> None:
        """Idempotent."""
        with self._changed:
            self._closed = True
            self._orders.clear()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        with self._changed:
            left = [one for ready in self._ready.values() for one in ready]
            self._ready.clear()
        for one in left:
            self._handling.discard(one)

    def __len__(self) -> int:
        with self._changed:
            return sum(map(len, self._ready.values()))

    def settle(self, timeout_s: float) -> bool:
        """Until everything that was ordered is there: for benchmarks and tests. False: time was up."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._orders or self._making), timeout_s)

    def _pop(self, kind: str) -> T | None:
        ready = self._ready.get(kind, deque())
        if ready:
            self._ready.move_to_end(kind)
        while ready:
            one = ready.popleft()
            if self._handling.healthy(one):
                return one
            self._handling.discard(one)
        return None

    def _order(self, kind: str, make: Callable[[], T]) -> None:
        waiting = sum(name == kind for name, _ in self._orders)
        for _ in range(self._each - len(self._ready.get(kind, ())) - waiting):
            self._orders.append((kind, make))
        if self._thread is None and self._orders:
            self._thread = threading.Thread(target=self._serve, name="warm-pool", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._orders or self._closed)
                self._changed.wait_for(lambda: not self._quiet or self._closed, PATIENCE_S)
                if self._closed:
                    return
                kind, make = self._orders.popleft()
                self._making = True
            try:
                made = [make()]
            except (SandboxError, OSError):
                made = []  # whoever asks next makes its own, and hears why that fails
            for surplus in self._keep(kind, made):
                self._handling.discard(surplus)

    def _keep(self, kind: str, made: list[T]) -> list[T]:
        """Put them in; what the pool holds too much of, kinds that were used least recently first."""
        surplus: list[T] = []
        with self._changed:
            self._making = False
            self._ready.setdefault(kind, deque()).extend(made)
            self._ready.move_to_end(kind)
            while sum(map(len, self._ready.values())) > self._total:
                oldest = next(name for name, ready in self._ready.items() if ready)
                surplus.append(self._ready[oldest].popleft())
            self._changed.notify_all()
        return surplus
