"""A bound on the length of observations that keeps what matters most: the beginning and the end."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs


def truncate(text: str, max_chars: int, head: float = 0.5) -> str:
    """At most `max_chars` characters of `text`: its head, a line that says how much is missing, its tail.

    `head` is the head's share of what is kept, 0 to 1. Where even that line does not fit, the text is cut.
    """
    if len(text) <= max_chars:
        return text
    note = _note(len(text))
    room = max_chars - len(note)
    if room <= 0:
        return text[:max_chars]
    front = int(room * head)
    back = room - front
    # The figure shrinks with what is kept, so the line is never longer than the room set aside for it.
    return text[:front] + _note(len(text) - room) + text[len(text) - back :]


def _note(missing: int) -> str:
    return f"\n[… {missing} characters left out …]\n"


class TruncateObservation(gym.ObservationWrapper[str, Any, str], RecordConstructorArgs):
    """Observations of at most `max_chars` characters (not tokens, not bytes), head and tail kept.

    Raises on construction: ValueError (`max_chars` below 1, `head` outside 0 to 1).
    """

    def __init__(self, env: gym.Env[str, Any], max_chars: int = 20_000, head: float = 0.5) -> None:
        if max_chars < 1 or not 0 <= head <= 1:
            raise ValueError(f"max_chars must be 1 or more and head between 0 and 1, not {max_chars} and {head}")
        RecordConstructorArgs.__init__(self, max_chars=max_chars, head=head)
        gym.ObservationWrapper.__init__(self, env)
        self.max_chars = max_chars
        self.head = head

    def observation(self, observation: str) -> str:
        """The text, or its head and tail with a line between them that says how much is missing."""
        return truncate(observation, self.max_chars, self.head)
