"""One model behind one OpenAI-compatible endpoint, asked once: no retries, no cache, no budget.

What is sent back is read up to a limit of bytes and of time, and no redirect is followed. Not protected against: an
endpoint that sends its headers byte by byte (each read is limited, not their sum).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from swesmith_gym import visible
from swesmith_gym.errors import InputError, LMError
from swesmith_gym.lm import answers
from swesmith_gym.lm.answers import NotACompletion, Refused, TooSlow
from swesmith_gym.lm.base import Completion, Request
from swesmith_gym.lm.refusals import Asked, error_of, reason

_REFUSAL_BYTES = 1 << 16
_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|::1")
_HALVES = re.compile("[\ud800-\udfff]")
_NEVER_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError")


@dataclass(frozen=True, slots=True)
class _Form:
    """How a request is put: newer models refuse what older ones need."""

    limit: str = "max_tokens"
    temperature: bool = True

    def fields(self, request: Request) -> dict[str, Any]:
        messages = [{name: _HALVES.sub("\ufffd", text) for name, text in each.items()} for each in request.messages]
        sent = {"messages": messages, self.limit: request.max_tokens}
        return {**sent, "temperature": request.temperature} if self.temperature else sent

    def instead(self, refused: Refused) -> _Form | None:
        """The form to try after this refusal; None: the form is not what was refused."""
        why = reason(refused.body)
        text = f"{why['message']} {why['code']}".lower()
        if refused.status != 400 or "support" not in text:
            return None
        if self.limit == "max_tokens" and "max_completion_tokens" in text:
            return replace(self, limit="max_completion_tokens")
        if self.temperature and "temperature" in (why["param"], *re.findall(r"\w+", text)):
            return replace(self, temperature=False)
        return None


class OpenAICompatibleLM:
    """An endpoint that speaks OpenAI's chat completions. Thread-safe. Close it when it is no longer used."""

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str | None = None,
        key_name: str = "OPENAI_API_KEY",
        timeout_s: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`api_key`: None for an endpoint that wants none. `key_name`: its variable, for messages alone.

        Raises: InputError (no such address, a key that cannot be sent, or the `openai` package is not installed).
        """
        self._openai = _library()
        host = _host(base_url)
        if api_key is not None and not re.fullmatch(r"[!-~]+", api_key):
            raise InputError(f"${key_name} holds no key: it has spaces or characters that no key has")
        self._headers = {} if api_key else {"Authorization": self._openai.Omit()}
        self._asked = Asked(host, model, key_name, api_key)
        self._timeout_s, self._clock = timeout_s, clock
        self._form = _Form()
        carrier = self._openai.DefaultHttpxClient(
            follow_redirects=False,
            trust_env=not _LOOPBACK.fullmatch(urlsplit(base_url).hostname or ""),  # no proxy leads to this machine
            event_hooks={"response": [self._stop_refusals]},
        )
        self._carrier_error: type[Exception] = import_module(_package_of(carrier)).HTTPError
        self._client = self._openai.OpenAI(
            base_url=base_url,
            api_key=api_key or "none",
            default_headers={"Accept-Encoding": "identity"},  # what is small on the way is small here
            timeout=timeout_s,
            max_retries=0,
            http_client=carrier,
        )

    @property
    def model(self) -> str:
        """As given."""
        return self._asked.model

    def close(self) -> None:
        """Close connections. May be called again."""
        self._client.close()

    def complete(self, request: Request) -> Completion:
        """One answer to one request. Raises: LMError, ContextExceeded."""
        form = self._form
        while True:
            try:
                return self._once(request, form)
            except Refused as refused:
                other = form.instead(refused)
                if other is None:
                    raise error_of(refused, self._asked) from None
                self._form = form = other

    def _once(self, request: Request, form: _Form) -> Completion:
        ends = self._clock() + self._timeout_s
        create = self._client.chat.completions.with_streaming_response.create
        try:
            with create(model=self.model, extra_headers=self._headers, **form.fields(request)) as response:
                body = answers.gather(response.iter_bytes(), answers.most_bytes(request), ends, self._clock)
            return answers.completion(body, request, self.model)
        except NotACompletion as error:
            raise self._asked.unreadable(error) from error
        except (TooSlow, self._openai.OpenAIError, self._carrier_error) as error:
            cause = error.__cause__ or error  # the library wraps what its carrier and our hook raise
            if isinstance(cause, Refused):
                raise cause from None
            raise self._broken(cause) from error

    def _stop_refusals(self, response: Any) -> None:
        """Called with each response before its body is read: the library reads that of a refusal without limit."""
        if response.status_code == 200:
            return
        ends = self._clock() + self._timeout_s
        try:
            body = answers.gather(response.iter_bytes(), _REFUSAL_BYTES, ends, self._clock)
        except (NotACompletion, TooSlow):
            body = b""
        headers: Mapping[str, str] = response.headers
        raise Refused(response.status_code, body, headers.get("retry-after"), headers.get("location"))

    def _broken(self, cause: BaseException) -> LMError:
        """A connection that was not made, was too slow, or ended before the answer did."""
        name = type(cause).__name__
        why = visible.line(str(cause), 300) or name
        if name in _NEVER_SENT:
            text = f"cannot be reached ({why}): is it running, and is --base-url right?"
            return self._asked.failure(text, may_cost=False)
        if isinstance(cause, TooSlow) or "Timeout" in name:
            return self._asked.failure(f"gave no whole answer within {self._timeout_s:g} s: see --lm-timeout-s")
        return self._asked.failure(f"broke off the answer ({why})")


def _library() -> Any:
    try:
        return import_module("openai")
    except ImportError as error:
        raise InputError(
            "a language model needs the openai package, which is not installed: pip install 'swesmith-gym[lm]'"
        ) from error


def _host(base_url: str) -> str:
    """Host and port: never a user or password that an address holds."""
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or not re.fullmatch(r"[!-~]+", base_url):
        raise InputError(
            f"--base-url {visible.line(base_url, 100)!r} is no address: give one such as http://127.0.0.1:8000/v1"
        )
    return f"{host}:{port}" if port else host


def _package_of(carrier: Any) -> str:
    """`httpx`, or whatever this version of the library is built on."""
    return next(base.__module__ for base in type(carrier).__mro__ if base.__name__ == "Client").partition(".")[0]
