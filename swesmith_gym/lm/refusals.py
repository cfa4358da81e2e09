"""What an endpoint's no means: an HTTP status and whatever came with it, as one error with one clear line."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from swesmith_gym import visible
from swesmith_gym.errors import ContextExceeded, LMError
from swesmith_gym.lm.answers import NotACompletion, Refused

_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|context[ _](length|size|window)|max_model_len|"
    r"(prompt|input|request) is too (long|large)|too many (input |prompt )?tokens|reduce the length"
)
_MAY_BE_TOO_LONG = (200, 400, 413, 422, 500)
_MAY_PASS = (408, 409, 425, 429)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked, for messages."""

    provider: str
    model: str
    key_name: str
    """The variable that holds the key."""
    key: str | None

    def said(self, refused: Refused) -> str:
        """What the endpoint gave as its reason, on one line, and never the key."""
        text = self.without_key(visible.line(reason(refused.body)["message"], 300))
        return f" ({text})" if text else ""

    def without_key(self, text: str) -> str:
        return text.replace(self.key, "***") if self.key else text

    def failure(self, text: str, *, status: int | None = None, may_cost: bool = True) -> LMError:
        """No answer of use came of this attempt, and another one may do better. `text`: what happened, after the
        provider's name."""
        text = f"{self.provider} {text}"
        return LMError(text, provider=self.provider, status=status, retryable=True, may_cost=may_cost)

    def unreadable(self, error: NotACompletion) -> LMError:
        """What came is no completion."""
        return self.failure(f"sent {self.without_key(str(error))}", status=200)


def reason(body: bytes) -> dict[str, str]:
    """`message`, `code`, `type` and `param` of a refusal; empty where it says nothing."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = {"message": body[:2000].decode("utf-8", "replace")}
    found: Any = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(found, dict):
        found = {"message": found}
    if "message" not in found and "detail" in found:  # as FastAPI says it
        found = {**found, "message": found["detail"]}
    return {name: _word(found.get(name)) for name in ("message", "code", "type", "param")}


def _word(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)[:2000]


def error_of(refused: Refused, asked: Asked) -> LMError:
    """What to raise."""
    status, said, why = refused.status, asked.said(refused), reason(refused.body)
    provider, retry_after_s = asked.provider, seconds(refused.retry_after)
    words = " ".join(why.values()).lower()
    if status == 413 or (status in _MAY_BE_TOO_LONG and _TOO_LONG.search(words)):
        text = f"{provider}: the request is longer than {asked.model} can read{said}"
        return ContextExceeded(text, provider=provider, status=status)
    passing = status in _MAY_PASS or status >= 500
    if status == 429 and "insufficient_quota" in words:
        text, passing = f"{provider}: no quota is left{said}: see to the account's billing", False
    elif status in (401, 403):
        text = f"{provider} {_about_key(asked)} (HTTP {status}){said}"
    elif status == 404:
        nothing = f"has no model {asked.model!r}, or nothing at this address (HTTP 404)"
        text = f"{provider} {nothing}{said}: see --model and --base-url, which mostly ends in /v1"
    elif 300 <= status < 400:
        target = visible.line(refused.location or "nowhere", 200)
        text = f"{provider} sends on to {target} (HTTP {status}): give that address as --base-url if you trust it"
    elif status == 429:
        text = f"{provider}: too many requests (HTTP 429){said}: see --lm-requests-per-minute and --lm-concurrency"
    else:
        text = f"{provider} refuses the request (HTTP {status}){said}"
    charged = status == 200
    return LMError(
        text,
        provider=provider,
        status=status,
        retryable=passing or charged,
        may_cost=charged,
        retry_after_s=retry_after_s if passing else None,
    )


def _about_key(asked: Asked) -> str:
    if asked.key is None:
        return f"wants a key: put it in ${asked.key_name or 'OPENAI_API_KEY'}, or name its variable with --api-key-env"
    return f"refuses the key in ${asked.key_name}: put a valid one there"


def seconds(retry_after: str | None) -> float | None:
    """Of a `Retry-After` header (RFC 9110, section 10.2.3): seconds from now, never less than 0; None: not there, or
    not readable."""
    if retry_after is None:
        return None
    try:
        if re.fullmatch(r"\s*\d{1,9}(\.\d*)?\s*", retry_after, re.ASCII):
            return float(retry_after)
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
