"""The sandboxes that this process keeps ready: one pool of them for each backend and size."""

from __future__ import annotations

import atexit
import os
from functools import cache

from swesmith_gym.errors import InputError
from swesmith_gym.sandboxes.client import ClientSandbox
from swesmith_gym.sandboxes.pool import Handling, WarmPool

VARIABLE = "SWESMITH_GYM_WARM_SANDBOXES"
EACH = 2
MOST = 32
"""Sandboxes that one process keeps ready at most, of all kinds together."""


def each() -> int:
    """How many of each kind are kept: `$SWESMITH_GYM_WARM_SANDBOXES`, else 2. Raises: InputError."""
    given = os.environ.get(VARIABLE, str(EACH))
    if not given.isdigit():
        raise InputError(f"{VARIABLE} is {given!r}: it must be a whole number, 0 for none")
    return int(given)


def pool(backend: str, number: int) -> WarmPool[ClientSandbox]:
    """The backend's pool in this process, with `number` of each kind. It ends with the process."""
    return _pool(os.getpid(), backend, number)


@cache
def _pool(_pid: int, _backend: str, number: int) -> WarmPool[ClientSandbox]:
    handling = Handling[ClientSandbox](healthy=ClientSandbox.answers, discard=ClientSandbox.close)
    found = WarmPool(handling, each=number, total=MOST)
    atexit.register(found.close)
    return found


def renew(backend: str, number: int) -> WarmPool[ClientSandbox]:
    """An empty pool in place of the one so far, whose sandboxes are ended."""
    pool(backend, number).close()
    _pool.cache_clear()
    return pool(backend, number)
