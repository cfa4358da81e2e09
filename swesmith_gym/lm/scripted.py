"""A model that answers from a script: for tests, and to see what a strategy would ask without asking anybody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from swesmith_gym.errors import LMError
from swesmith_gym.lm.base import Completion, Request

Answer = str | Completion | LMError
"""Text, a whole completion, or an error to raise."""


class ScriptedLM:
    """Gives the answers of a list in turn, or those of a function. Thread-safe: one request is answered at a time."""

    def __init__(self, answers: Iterable[Answer] | Callable[[Request], Answer], *, model: str = "scripted") -> None:
        self._model = model
        self._lock = threading.Lock()
        self._asked: list[Request] = []
        self._answer = answers if callable(answers) else _in_turn(answers)

    @property
    def model(self) -> str:
        """As given."""
        return self._model

    @property
    def requests(self) -> tuple[Request, ...]:
        """All that it was asked, in order."""
        with self._lock:
            return tuple(self._asked)

    def complete(self, request: Request) -> Completion:
        """The next answer. Raises: LMError (the script says so, or has no more answers)."""
        with self._lock:
            self._asked.append(request)
            answer = self._answer(request)
        if isinstance(answer, LMError):
            raise answer
        if isinstance(answer, Completion):
            return answer
        return Completion(
            text=answer,
            model=self._model,
            finish_reason="stop",
            prompt_tokens=None,
            completion_tokens=None,
            cost_usd=None,
        )


def _in_turn(answers: Iterable[Answer]) -> Callable[[Request], Answer]:
    rest = iter(tuple(answers))

    def answer(_: Request) -> Answer:
        for each in rest:
            return each
        return LMError("the script has no more answers: give one for each request, or a function", provider="scripted")

    return answer
