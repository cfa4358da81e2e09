"""A hard budget: a request is sent only if the most that it can cost still fits."""

from __future__ import annotations

import math
import threading

from swesmith_gym.errors import BudgetExhausted, InputError, LMError
from swesmith_gym.lm.base import LM, Completion, Request
from swesmith_gym.lm.prices import Price

_NANO = 1_000_000_000
"""Sums are kept in whole billionths of a dollar: they are exact."""


class Budget:
    """US dollars that one run may spend: spent, and set aside for requests in flight. Thread-safe."""

    def __init__(self, limit_usd: float) -> None:
        """Raises: InputError (no amount of dollars)."""
        if not math.isfinite(limit_usd) or limit_usd < 0:
            raise InputError(f"--max-cost-usd {limit_usd} is no amount of US dollars: give 0 or more")
        self._limit = round(limit_usd * _NANO)
        self._spent = self._in_flight = 0
        self._changed = threading.Condition()

    @property
    def spent_usd(self) -> float:
        """Whatever may have been charged without an answer is in it, at its worst case."""
        with self._changed:
            return self._spent / _NANO

    def set_aside(self, usd: float) -> None:
        """Keep `usd` for a request. Where it would fit but for requests in flight, waits for what they cost in truth.

        Raises: BudgetExhausted (it does not fit; with a budget of 0 nothing does).
        """
        wanted = round(usd * _NANO)
        with self._changed:
            while self._limit and self._spent + wanted <= self._limit:
                if self._spent + self._in_flight + wanted <= self._limit:
                    self._in_flight += wanted
                    return
                self._changed.wait()
            raise BudgetExhausted(self._why(usd))

    def _why(self, usd: float) -> str:
        if not self._limit:
            return "a budget of $0 sends nothing, and no answer to this request is kept: raise --max-cost-usd"
        return (
            f"the budget of ${self._limit / _NANO:g} is used up: ${self._spent / _NANO:.6f} are spent, and the next "
            f"request may cost ${usd:.6f}; raise --max-cost-usd and run the same command again (answers are kept)"
        )

    def settle(self, set_aside_usd: float, spent_usd: float) -> None:
        """A request that `set_aside_usd` were kept for has ended, and cost `spent_usd`."""
        with self._changed:
            self._in_flight -= round(set_aside_usd * _NANO)
            self._spent += round(spent_usd * _NANO)
            self._changed.notify_all()


class BudgetedLM:
    """Sends on what the budget allows. Thread-safe."""

    def __init__(self, inner: LM, budget: Budget, price: Price | None) -> None:
        """`price` is None only with a budget of 0, which sends nothing."""
        self._inner, self._budget, self._price = inner, budget, price

    @property
    def model(self) -> str:
        """As the inner one."""
        return self._inner.model

    def complete(self, request: Request) -> Completion:
        """As the inner one. Raises: BudgetExhausted."""
        worst = self._price.worst(request) if self._price else 0.0
        self._budget.set_aside(worst)
        spent = worst  # also where the program is stopped while it waits for the answer
        try:
            completion = self._inner.complete(request)
            spent = worst if completion.cost_usd is None else completion.cost_usd
        except LMError as error:
            spent = worst if error.may_cost else 0.0
            raise
        finally:
            self._budget.settle(worst, spent)
        return completion
