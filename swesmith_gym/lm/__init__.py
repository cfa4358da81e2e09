"""Language models behind one contract (`base`): any OpenAI-compatible endpoint, and a scripted one for tests.

`connect` gives what a command uses. Around the endpoint, from the inside to the outside, one small class each: limits
of rate, accounting, the budget, retries, the cache. All speak the same contract, and so does a user's own model.
"""

from __future__ import annotations

from swesmith_gym.lm.accounting import Totals
from swesmith_gym.lm.base import LM, Completion, Message, Request
from swesmith_gym.lm.connection import Connection, LMSettings, connect
from swesmith_gym.lm.prices import Price, parse_price
from swesmith_gym.lm.retries import RetryPolicy
from swesmith_gym.lm.scripted import ScriptedLM

__all__ = [
    "LM",
    "Completion",
    "Connection",
    "LMSettings",
    "Message",
    "Price",
    "Request",
    "RetryPolicy",
    "ScriptedLM",
    "Totals",
    "connect",
    "parse_price",
]
