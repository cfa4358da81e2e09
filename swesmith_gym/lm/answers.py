"""What an endpoint sent, read as a completion. All of it is untrusted: whatever is not exactly an answer is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from swesmith_gym import visible
from swesmith_gym.lm.base import Completion, Request

_CHARACTERS_PER_TOKEN = 16
"""Text of more characters a token than this, on average, is not what was asked for (prose and code: about 4)."""
_SPARE_CHARACTERS = 1_000
_SPARE_BYTES = 1 << 16
_BYTES_PER_CHARACTER = 6
"""As JSON writes the longest: `\\u` and four digits."""
_SHOWN = 300
_HALVES = re.compile("[\ud800-\udfff]")


class NotACompletion(Exception):
    """The reason why what was sent is no answer."""


class TooSlow(Exception):
    """The time was over before all was sent."""


class Refused(Exception):
    """The endpoint said no."""

    def __init__(self, status: int, body: bytes, retry_after: str | None = None, location: str | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.retry_after, self.location = status, body, retry_after, location


def most_bytes(request: Request) -> int:
    """An answer to `request` is never longer, as JSON and with all that endpoints send beside it."""
    return _SPARE_BYTES + _BYTES_PER_CHARACTER * _most_characters(request)


def _most_characters(request: Request) -> int:
    return _SPARE_CHARACTERS + _CHARACTERS_PER_TOKEN * request.max_tokens


def gather(chunks: Iterable[bytes], most: int, ends: float, clock: Callable[[], float]) -> bytes:
    """All chunks as one. Raises: NotACompletion (more than `most` bytes), TooSlow (`clock` passes `ends`)."""
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > most:
            raise NotACompletion(f"more than the {most} bytes that an answer can have")
        if clock() > ends:
            raise TooSlow
    return bytes(body)


def completion(body: bytes, request: Request, model: str) -> Completion:
    """The first answer in a chat completion. `model`: its name where the endpoint says none.

    Raises: NotACompletion, Refused (an error that was sent as if it were an answer).
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotACompletion(f"what is not JSON: {shown(body)}") from error
    if not isinstance(data, dict):
        raise NotACompletion(f"JSON that is no completion: {shown(body)}")
    if data.get("error") and not data.get("choices"):
        raise Refused(_status(data["error"]), body)
    choice = _first(data.get("choices"))
    text = _text(choice, request)
    finish = choice.get("finish_reason")
    usage = data["usage"] if isinstance(data.get("usage"), dict) else {}
    named = data.get("model")
    return Completion(
        text=text,
        model=visible.line(named, 200) if isinstance(named, str) and named else model,
        finish_reason=visible.line(finish, 40) if isinstance(finish, str) and finish else "unknown",
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        cost_usd=None,
    )


def _first(choices: Any) -> dict[str, Any]:
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise NotACompletion("a completion without choices")
    return choices[0]


def _text(choice: dict[str, Any], request: Request) -> str:
    """An answer of no characters is one; none at all is one only where the endpoint says why."""
    message = choice.get("message")
    if not isinstance(message, dict):
        raise NotACompletion("a choice without a message")
    text = message.get("content")
    if text is None:
        text = message.get("refusal")
    if text is None and choice.get("finish_reason") in ("length", "content_filter"):
        text = ""
    if not isinstance(text, str):
        raise NotACompletion("a message without text")
    if len(text) > _most_characters(request):
        raise NotACompletion(f"an answer of {len(text)} characters, where {request.max_tokens} tokens were asked for")
    return _HALVES.sub("\ufffd", text)


def _status(error: Any) -> int:
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 200


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def shown(body: bytes) -> str:
    """The beginning of what was sent, for a message."""
    return repr(visible.line(body[: 4 * _SHOWN].decode("utf-8", "replace"), 80))
