"""Terminal escape sequences out of observations: colours, cursor moves, titles, links."""

from __future__ import annotations

import re
from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

_ESCAPES = re.compile(
    r"""
    (?:\x1b\[|\x9b) [0-?]* [ -/]* [@-~]?                # CSI: colours, cursor (ECMA-48, 5.4)
  | (?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])             # OSC, DCS, SOS, PM, APC: a string up to its end (5.6)
    [^\x07\x1b\x9c\n]* (?:\x07|\x1b\\|\x9c)?
  | \x1b [ -/]* [0-~]?                                  # every other sequence, and an ESC that begins none
    """,
    re.VERBOSE,
)


def strip_ansi(text: str) -> str:
    """`text` without terminal escape sequences, cut-off ones included. Linear in its length.

    Sequences: ECMA-48 (ISO/IEC 6429), in their 7-bit and their 8-bit forms. A string sequence (a title, a link)
    that is never ended loses its own line only. Other control characters stay.
    """
    return _ESCAPES.sub("", text)


class StripAnsi(gym.ObservationWrapper[str, Any, str], RecordConstructorArgs):
    """Observations without terminal escape sequences. Spaces and everything else as in the wrapped environment."""

    def __init__(self, env: gym.Env[str, Any]) -> None:
        RecordConstructorArgs.__init__(self)
        gym.ObservationWrapper.__init__(self, env)

    def observation(self, observation: str) -> str:
        """The text without its escape sequences."""
        return strip_ansi(observation)
