"""Tests that run in front of all others, in a copy of this process: what they do to its state is gone with it."""

from __future__ import annotations

import os
import warnings
from typing import Any, Sequence  # noqa: UP035  (3.8 cannot subscript those of collections.abc)

from .channel import Channel

_fork, _wait, _exit = os.fork, os.waitpid, os._exit
"""Bound before anything is tested: tests replace them."""


def run(items: Sequence[Any], channel: Channel) -> None:
    """Each item as pytest would, reported through `channel`. Returns when the copy has ended, however it did."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of forks beside threads, which a configuration may turn into errors
        child = _fork()
    if child:
        _wait(child, 0)
        return
    try:
        channel.adopt()
        for item, following in zip(items, [*items[1:], None]):  # noqa: B905  (3.8 has no `strict`)
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
    finally:
        _exit(0)
