"""The contract of a language model: a request goes in, a completion comes out.

Who asks says nothing of how: retries, limits of rate, the cache and the budget are the business of what answers. What
is answered is untrusted text: it may be anything, of any form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

Message = Mapping[str, str]
"""`role` (`system`, `user` or `assistant`) and `content`."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a model is asked. Equal requests to one model are one request: it is paid for once."""

    messages: tuple[Message, ...]
    temperature: float = 0.0
    max_tokens: int = 2048
    """Of the answer, at most."""
    sample: int = 0
    """Not sent: another number wants another answer to the same messages."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model answered."""

    text: str
    model: str
    """As the endpoint names it."""
    finish_reason: str
    """`stop`, `length`, or whatever else the endpoint says."""
    prompt_tokens: int | None
    """None: the endpoint does not say."""
    completion_tokens: int | None
    cost_usd: float | None
    """What it cost when it was made, in US dollars; None: no price is known."""
    cached: bool = False
    """It was made before: nothing was paid for it this time."""


class LM(Protocol):
    """A model. Thread-safe."""

    @property
    def model(self) -> str:
        """Its name, as a table labels what it wrote."""
        ...

    def complete(self, request: Request) -> Completion:
        """One answer; what can be asked again is asked again before this raises.

        Raises: LMError (the endpoint failed, or answered what is no completion), ContextExceeded (asking for less may
        help), BudgetExhausted (nothing was sent; what was answered before is kept).
        """
        ...
