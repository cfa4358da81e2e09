"""What a model's tokens cost: the shipped list, a user's own, or a price that is given. Unknown is None, never 0."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from swesmith_gym.errors import InputError
from swesmith_gym.home import home
from swesmith_gym.lm.base import Request

_MILLION = 1_000_000
_MESSAGE_TOKENS = 16
"""More than any chat template writes around a message."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input_usd: float
    """Of the prompt."""
    output_usd: float
    """Of the answer."""

    def cost(self, prompt_tokens: int | None, completion_tokens: int | None) -> float | None:
        """In US dollars; None where a number of tokens is not known."""
        if prompt_tokens is None or completion_tokens is None:
            return None
        return (prompt_tokens * self.input_usd + completion_tokens * self.output_usd) / _MILLION

    def worst(self, request: Request) -> float:
        """The most that a request can cost, in US dollars: a token holds one byte of the prompt or more, and the
        answer is as long as it may be."""
        prompt = _MESSAGE_TOKENS + sum(_MESSAGE_TOKENS + _size(message) for message in request.messages)
        return (prompt * self.input_usd + request.max_tokens * self.output_usd) / _MILLION


def _size(message: Mapping[str, str]) -> int:
    return sum(len(value.encode("utf-8", "replace")) for value in message.values())


def parse_price(text: str) -> Price:
    """`IN,OUT`, US dollars per million tokens, as `--price` takes it. Raises: InputError (it is something else)."""
    try:
        put_in, put_out = (float(part) for part in text.split(","))
        return _checked(put_in, put_out)
    except ValueError as error:
        raise InputError(
            f"--price {text!r} is no price: give US dollars per million tokens in and out, such as 0.15,0.6"
        ) from error


def price_of(model: str) -> Price | None:
    """The price of a model by its exact name: `$SWESMITH_GYM_HOME/prices.toml` first, then the shipped list.

    Raises: InputError (the user's file cannot be used).
    """
    return users_prices().get(model) or shipped_prices().get(model)


def shipped_prices() -> dict[str, Price]:
    """Model -> price, of this version's list."""
    return _read((files("swesmith_gym.lm") / "prices.toml").read_text("utf-8"), "prices.toml")


def users_prices() -> dict[str, Price]:
    """Model -> price, of the user's own list; empty where there is none. Raises: InputError (it cannot be used)."""
    path = home() / "prices.toml"
    try:
        return _read(path.read_text("utf-8"), str(path))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error


def _read(text: str, name: str) -> dict[str, Price]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{name}: not TOML ({error})") from error
    return {model: _price(entry, f"{name}: [{model!r}]") for model, entry in data.items()}


def _price(entry: Any, place: str) -> Price:
    if not isinstance(entry, dict) or set(entry) != {"input", "output"}:
        raise InputError(f'{place}: write ["MODEL"], then input = and output = in US dollars per million tokens')
    try:
        return _checked(entry["input"], entry["output"])
    except ValueError as error:
        raise InputError(f"{place}: {error}") from error


def _checked(put_in: Any, put_out: Any) -> Price:
    for value in (put_in, put_out):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            raise ValueError(f"{value!r} is no amount of US dollars")
    return Price(float(put_in), float(put_out))
