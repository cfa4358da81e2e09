"""Requests and settings that tests of the client share."""

from __future__ import annotations

from typing import Any

from swesmith_gym.lm import LMSettings, Request, RetryPolicy

AT_ONCE = RetryPolicy(first_wait_s=0.0, longest_wait_s=0.0)
"""Asks again without waiting."""


def ask(text: str = "hello", **fields: Any) -> Request:
    return Request(({"role": "user", "content": text},), **fields)


def settings(url: str, **fields: Any) -> LMSettings:
    return LMSettings(**{"base_url": url, "model": "tiny", "retries": AT_ONCE, "timeout_s": 20.0, **fields})
