"""A conversation with a model that stays within a bound of characters: what is oldest is shortened first."""

from __future__ import annotations

from swesmith_gym.lm.base import Message
from swesmith_gym.visible import shortened

_RECENT = 4
"""Turns at the end that are kept as long as they can be."""
_SHORT = 400
"""Characters that an old text is shortened to."""
_ROOM = 0.75
"""Share of the bound that is aimed at, so that what a model has read before stays the same for several turns."""


class Dialogue:
    """System text, task, then replies and what was answered to them."""

    def __init__(self, system: str, task: str, bound: int) -> None:
        self._system, self._task, self._bound = system, task, bound
        self._turns: list[list[str]] = []
        self._dropped = 0

    def add(self, reply: str, answer: str) -> None:
        """One turn more."""
        self._turns.append([reply, answer])
        if self.chars > self._bound:
            self._fit(int(self._bound * _ROOM))

    def narrow(self) -> None:
        """Halve the bound: the model could not read as much."""
        self._bound = min(self._bound, self.chars) // 2
        self._fit(self._bound)

    @property
    def chars(self) -> int:
        """Characters of all messages together."""
        return len(self._system) + len(self._opening) + sum(len(text) for turn in self._turns for text in turn)

    @property
    def messages(self) -> tuple[Message, ...]:
        """As a model is sent them."""
        said = [{"role": "system", "content": self._system}, {"role": "user", "content": self._opening}]
        for reply, answer in self._turns:
            said += [{"role": "assistant", "content": reply}, {"role": "user", "content": answer}]
        return tuple(said)

    @property
    def _opening(self) -> str:
        return f"{self._task}\n[the first {self._dropped} turns are left out]" if self._dropped else self._task

    def _fit(self, goal: int) -> None:
        """Shorten old answers, then old replies, then leave out turns, then shorten what is recent as well."""
        old = max(len(self._turns) - _RECENT, 0)
        for part in (1, 0):
            for turn in self._turns[:old]:
                if self.chars <= goal:
                    return
                turn[part] = self._short(turn[part], _SHORT)
        while self.chars > goal and len(self._turns) > _RECENT:
            self._turns.pop(0)
            self._dropped += 1
        for part in (1, 0):
            for turn in self._turns:
                if self.chars > goal:
                    turn[part] = self._short(turn[part], _SHORT)

    @staticmethod
    def _short(text: str, limit: int) -> str:
        """Only where that gains something: a text is not shortened twice."""
        return shortened(text, limit) if len(text) > 2 * limit else text
