"""The model that a command uses: an endpoint with retries, limits of rate, a price, a budget and a cache around it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from swesmith_gym.errors import InputError
from swesmith_gym.lm.accounting import Account, MeteredLM, Totals
from swesmith_gym.lm.base import LM, Completion, Request
from swesmith_gym.lm.budget import Budget, BudgetedLM
from swesmith_gym.lm.cache import CachedLM, default_folder
from swesmith_gym.lm.limits import RateLimitedLM
from swesmith_gym.lm.litellm_model import PREFIX, LiteLLM
from swesmith_gym.lm.openai_compatible import OpenAICompatibleLM
from swesmith_gym.lm.prices import Price, price_of
from swesmith_gym.lm.retries import RetryingLM, RetryPolicy

OPENAI_URL = "https://api.openai.com/v1"
BASE_URL_VARIABLE = "OPENAI_BASE_URL"
KEY_VARIABLE = "OPENAI_API_KEY"
MODEL_VARIABLE = "SWESMITH_GYM_LM_MODEL"


@dataclass(frozen=True, slots=True)
class LMSettings:
    """Which model, and how it is used. Holds the name of the key's variable, never the key: it may be stored."""

    base_url: str | None = None
    """Of an OpenAI-compatible endpoint; None: `$OPENAI_BASE_URL`, else OpenAI's own where there is a key."""
    model: str | None = None
    """As the endpoint knows it; None: `$SWESMITH_GYM_LM_MODEL`."""
    api_key_env: str | None = None
    """Variable that holds the key; None: `OPENAI_API_KEY`, which may be absent; empty: no key is sent."""
    max_cost_usd: float | None = None
    """US dollars that may be spent at most; 0: only the cache answers; None: no budget."""
    price: Price | None = None
    """None: the user's list of prices, then the shipped one."""
    requests_per_minute: int | None = None
    """Most requests that begin in a minute; None: no limit."""
    concurrency: int = 4
    """Most requests at once."""
    timeout_s: float = 120.0
    """For one attempt, in seconds."""
    max_tokens: int | None = None
    """Of an answer, at most, where a request allows more; None: as requests say."""
    cache: Path | None = None
    """Folder of the answers; None: `$SWESMITH_GYM_HOME/lm-cache`."""
    retries: RetryPolicy = field(default_factory=RetryPolicy)


class Connection:
    """A model, ready to be asked. Thread-safe. Whoever made it closes it (`with` does), when nothing is in flight."""

    def __init__(self, endpoint: LM, settings: LMSettings) -> None:
        """`endpoint`: what is asked in the end; closed with the connection where it can be.

        Raises: InputError (a budget without a price, a limit that is none, or a folder that cannot be used).
        """
        _check_limits(settings)
        price = settings.price or price_of(endpoint.model)
        self._account = Account()
        self._max_tokens = settings.max_tokens
        self._endpoint = endpoint
        limited = RateLimitedLM(
            endpoint,
            concurrency=settings.concurrency,
            requests_per_minute=settings.requests_per_minute,
            longest_pause_s=settings.retries.longest_wait_s,
        )
        asked: LM = MeteredLM(limited, price, self._account)
        if settings.max_cost_usd is not None:
            asked = BudgetedLM(asked, _budget(settings.max_cost_usd, price, endpoint.model), price)
        self._lm = CachedLM(RetryingLM(asked, settings.retries), settings.cache or default_folder())

    @property
    def model(self) -> str:
        """As the settings name it."""
        return self._lm.model

    def complete(self, request: Request) -> Completion:
        """One answer. Raises: LMError, ContextExceeded, BudgetExhausted, OSError (it cannot be kept)."""
        if self._max_tokens is not None:
            request = replace(request, max_tokens=min(request.max_tokens, self._max_tokens))
        completion = self._lm.complete(request)
        if completion.cached:
            self._account.answered(completion)
        return completion

    def totals(self) -> Totals:
        """What was asked through this connection so far, and what it cost."""
        return self._account.totals()

    def close(self) -> None:
        """Close the endpoint's connections. May be called again."""
        if isinstance(self._endpoint, OpenAICompatibleLM):
            self._endpoint.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(settings: LMSettings = LMSettings()) -> Connection:
    """The model of these settings; nothing is sent yet. What they leave open comes from the environment.

    Raises: InputError (no endpoint, no model, no such key, a budget without a price, or a package is not installed).
    """
    _check_limits(settings)
    model = settings.model or os.environ.get(MODEL_VARIABLE)
    if not model:
        raise InputError(f"no model is named: give --model NAME, or set ${MODEL_VARIABLE}")
    return Connection(_endpoint(model, settings), settings)


def _endpoint(model: str, settings: LMSettings) -> LM:
    name, key = _key(settings.api_key_env)
    if model.startswith(PREFIX):
        named = bool(settings.api_key_env)  # a key of OpenAI's is for nobody else
        return LiteLLM(
            model,
            base_url=settings.base_url,
            api_key=key if named else None,
            key_name=name if named else "",
            timeout_s=settings.timeout_s,
        )
    base_url = settings.base_url or os.environ.get(BASE_URL_VARIABLE) or (OPENAI_URL if key else None)
    if not base_url:
        raise InputError(
            f"no endpoint is named: give --base-url URL (or ${BASE_URL_VARIABLE}), such as http://127.0.0.1:8000/v1, "
            f"or put a key of OpenAI's into ${name or KEY_VARIABLE}"
        )
    return OpenAICompatibleLM(base_url, model, api_key=key, key_name=name, timeout_s=settings.timeout_s)


def _key(variable: str | None) -> tuple[str, str | None]:
    """Name of the variable, and what it holds. A variable that was asked for by name must be there."""
    name = KEY_VARIABLE if variable is None else variable
    if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise InputError("--api-key-env takes the name of the variable that holds the key, not the key itself")
    key = os.environ.get(name) if name else None
    if variable and not key:
        raise InputError(f"${variable} is not set: put the key there, or name another variable with --api-key-env")
    return name, key or None


def _budget(limit_usd: float, price: Price | None, model: str) -> Budget:
    if price is None and limit_usd > 0:
        raise InputError(
            f"a budget needs a price, and none is known for {model!r}: give --price IN,OUT (US dollars per million "
            f"tokens, 0,0 for a model of your own), or put it into $SWESMITH_GYM_HOME/prices.toml"
        )
    return Budget(limit_usd)


def _check_limits(settings: LMSettings) -> None:
    for option, value, least in (
        ("--lm-concurrency", settings.concurrency, 1),
        ("--lm-requests-per-minute", settings.requests_per_minute, 1),
        ("--lm-max-tokens", settings.max_tokens, 1),
    ):
        if value is not None and value < least:
            raise InputError(f"{option} {value}: give {least} or more")
    if not 0 < settings.timeout_s < float("inf"):
        raise InputError(f"--lm-timeout-s {settings.timeout_s}: give seconds, more than 0")
