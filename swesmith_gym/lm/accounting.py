"""What was asked, and what it cost: counted call by call, and read as one record."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from swesmith_gym.errors import LMError
from swesmith_gym.lm.base import LM, Completion, Request
from swesmith_gym.lm.prices import Price
from swesmith_gym.records import summed


@dataclass(frozen=True, slots=True)
class Totals:
    """What was asked so far. Tokens and cost are those of answers that were made for this run, not of cached ones."""

    calls: int = 0
    """Requests that were answered, from the cache or by the endpoint."""
    cached: int = 0
    """Of these, the ones that were answered from the cache."""
    failed: int = 0
    """Attempts without a usable answer. What some of them may have cost is not in `cost_usd`; a budget counts it."""
    prompt_tokens: int | None = 0
    """None: of one answer or more it is not known."""
    completion_tokens: int | None = 0
    """None: as above."""
    cost_usd: float | None = 0.0
    """US dollars; None: of one answer or more it is not known."""

    def __str__(self) -> str:
        tokens = f"{_shown(self.prompt_tokens)} tokens in, {_shown(self.completion_tokens)} out"
        cost = "cost unknown" if self.cost_usd is None else f"${self.cost_usd:.6f}"
        return f"{self.calls} calls ({self.cached} cached, {self.failed} failed attempts), {tokens}, {cost}"


def _shown(tokens: int | None) -> str:
    return "unknown" if tokens is None else str(tokens)


class Account:
    """Adds up. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals = Totals()

    def answered(self, completion: Completion) -> None:
        """One more answer."""
        with self._lock:
            now = self._totals
            if completion.cached:
                self._totals = replace(now, calls=now.calls + 1, cached=now.cached + 1)
                return
            self._totals = replace(
                now,
                calls=now.calls + 1,
                prompt_tokens=summed((now.prompt_tokens, completion.prompt_tokens)),
                completion_tokens=summed((now.completion_tokens, completion.completion_tokens)),
                cost_usd=summed((now.cost_usd, completion.cost_usd)),
            )

    def failed(self) -> None:
        """One more attempt that gave no answer."""
        with self._lock:
            self._totals = replace(self._totals, failed=self._totals.failed + 1)

    def totals(self) -> Totals:
        """All so far."""
        with self._lock:
            return self._totals


class MeteredLM:
    """Puts a price on each answer, and counts each attempt. Thread-safe."""

    def __init__(self, inner: LM, price: Price | None, account: Account) -> None:
        self._inner, self._price, self._account = inner, price, account

    @property
    def model(self) -> str:
        """As the inner one."""
        return self._inner.model

    def complete(self, request: Request) -> Completion:
        """As the inner one, with the cost where price and tokens are known."""
        try:
            completion = self._inner.complete(request)
        except LMError:
            self._account.failed()
            raise
        if completion.cost_usd is None and self._price:
            cost = self._price.cost(completion.prompt_tokens, completion.completion_tokens)
            completion = replace(completion, cost_usd=cost)
        self._account.answered(completion)
        return completion
