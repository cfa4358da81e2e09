"""Options of every command that asks a language model, and the settings that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from swesmith_gym.lm import LMSettings

DEFAULT_CONCURRENCY = 4
DEFAULT_TIMEOUT_S = 120.0

BaseUrlOption = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        help="An OpenAI-compatible endpoint, such as http://127.0.0.1:8000/v1. Default: OpenAI's, if there is a key.",
        envvar="OPENAI_BASE_URL",
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", help="The model's name, as the endpoint knows it.", envvar="SWESMITH_GYM_LM_MODEL"),
]
ApiKeyEnvOption = Annotated[
    str | None,
    typer.Option(
        "--api-key-env",
        help="Name of the variable that holds the key; empty: send none. Default: OPENAI_API_KEY, if it is set.",
    ),
]
MaxCostOption = Annotated[
    float | None,
    typer.Option(
        "--max-cost-usd", min=0, help="Send nothing that may cost more than this in all; 0: only answers that are kept."
    ),
]
PriceOption = Annotated[
    str | None,
    typer.Option("--price", metavar="IN,OUT", help="US dollars per million tokens in and out, such as 0.15,0.6."),
]
RequestsPerMinuteOption = Annotated[
    int | None,
    typer.Option("--lm-requests-per-minute", min=1, help="At most so many requests to the model in a minute."),
]
ConcurrencyOption = Annotated[
    int, typer.Option("--lm-concurrency", min=1, help="At most so many requests to the model at once.")
]
TimeoutOption = Annotated[
    float, typer.Option("--lm-timeout-s", min=0.1, help="How long one request to the model may take, in seconds.")
]


def settings(
    base_url: str | None = None,
    model: str | None = None,
    api_key_env: str | None = None,
    max_cost_usd: float | None = None,
    price: str | None = None,
    requests_per_minute: int | None = None,
    concurrency: int = DEFAULT_CONCURRENCY,
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> LMSettings:
    """What these options say, for `lm.connect`. Raises: InputError (a price that is none)."""
    from swesmith_gym.lm import LMSettings, parse_price

    return LMSettings(
        base_url=base_url,
        model=model,
        api_key_env=api_key_env,
        max_cost_usd=max_cost_usd,
        price=None if price is None else parse_price(price),
        requests_per_minute=requests_per_minute,
        concurrency=concurrency,
        timeout_s=timeout_s,
    )
