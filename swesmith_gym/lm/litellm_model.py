"""A model of a provider that does not speak OpenAI's protocol, by way of the `litellm` package (the extra `litellm`).

Asked once, as `openai_compatible` does: none of `litellm`'s own retries, caches and callbacks. What it gives back is
read as strictly as an endpoint's answer, but only after `litellm` has read all of it, without any limit of ours.
"""

from __future__ import annotations

import json
import os
from importlib import import_module
from typing import Any

from swesmith_gym import visible
from swesmith_gym.errors import InputError, LMError
from swesmith_gym.lm import answers
from swesmith_gym.lm.answers import NotACompletion, Refused
from swesmith_gym.lm.base import Completion, Request
from swesmith_gym.lm.refusals import Asked, error_of

PREFIX = "litellm/"
"""Of the names of such models: `litellm/PROVIDER/MODEL`."""


class LiteLLM:
    """One model, asked through `litellm`. Thread-safe."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        key_name: str = "",
        timeout_s: float = 120.0,
    ) -> None:
        """`model`: with the prefix. `api_key`: None leaves it to `litellm`, which knows each provider's variable.

        Raises: InputError (no provider and model, or the `litellm` package is not installed).
        """
        self.model = model
        self._name = model.removeprefix(PREFIX)
        provider, _, rest = self._name.partition("/")
        if not provider or not rest:
            raise InputError(f"--model {visible.line(model, 100)!r}: give {PREFIX}PROVIDER/MODEL")
        self._litellm = _library()
        self._asked = Asked(f"{provider} (litellm)", model, key_name, api_key)
        self._given = {"api_base": base_url, "api_key": api_key, "timeout": timeout_s}

    def complete(self, request: Request) -> Completion:
        """One answer to one request. Raises: LMError, ContextExceeded."""
        try:
            answer = self._litellm.completion(
                model=self._name,
                messages=[dict(each) for each in request.messages],
                temperature=request.temperature,
                max_tokens=request.max_tokens,
                drop_params=True,  # what the model does not take is left out, not refused
                num_retries=0,
                max_retries=0,
                **{name: value for name, value in self._given.items() if value is not None},
            )
            return answers.completion(answer.model_dump_json().encode(), request, self.model)
        except NotACompletion as error:
            raise self._asked.unreadable(error) from error
        except Exception as error:  # providers' own errors have no base in common
            raise self._error(error) from error

    def _error(self, error: Exception) -> LMError:
        """What to raise. Without an answer's headers none is known to have come: the request may have been charged."""
        status = getattr(error, "status_code", None)
        headers = getattr(getattr(error, "response", None), "headers", None) or {}
        message = str(getattr(error, "message", "") or error)
        ours = isinstance(status, int) and 400 <= status < 500 and status != 408
        if isinstance(status, int) and (headers or ours):
            body = {"message": message, "code": self._code(error)}
            return error_of(Refused(status, json.dumps(body).encode(), headers.get("retry-after")), self._asked)
        said = self._asked.without_key(visible.line(message, 300))
        return self._asked.failure(f"gave no answer ({said})")

    def _code(self, error: Exception) -> str:
        if isinstance(error, self._litellm.ContextWindowExceededError):
            return "context_length_exceeded"
        body = getattr(error, "body", None)
        return str(body.get("code") or "") if isinstance(body, dict) else ""


def _library() -> Any:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else its import asks the network for prices
    try:
        litellm: Any = import_module("litellm")
    except ImportError as error:
        raise InputError(
            f"a model named {PREFIX}… needs the litellm package, which is not installed: "
            "pip install 'swesmith-gym[litellm]'"
        ) from error
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    return litellm
