"""Options of every command that asks a language model, and the settings that they make."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swesmith_gym.cli.common import say
from swesmith_gym.lm import LM, LMSettings, connect, parse_price

if TYPE_CHECKING:
    from swesmith_gym.bugs.drawing import Limits

PARAMETER = "lm"
"""What a command calls the settings that it is given."""
PromptsOption = Annotated[
    Path | None,
    typer.Option("--prompts", help="A folder of prompts (TOML) that come before ours of the same name."),
]
PromptCharsOption = Annotated[
    int | None,
    typer.Option("--prompt-chars", min=1000, help="Characters of a request at most; a longer file is cut down to it."),
]
MostLinesOption = Annotated[
    int | None,
    typer.Option("--most-lines", min=3, help="Lines of code at most in the body of what the model is asked about."),
]
MostCallsOption = Annotated[
    int | None,
    typer.Option("--most-calls", min=1, help="Requests of a strategy at most, however few candidates came of them."),
]
RoundsOption = Annotated[
    int,
    typer.Option("--rounds", min=1, help="Answers to one question at most: a useless one goes back, with the reason."),
]


def entity_limits(prompt_chars: int | None, most_lines: int | None) -> Limits:
    """What strategies that ask a model are limited to."""
    from swesmith_gym.bugs.drawing import Limits

    ours = Limits()
    return Limits(most_chars=prompt_chars or ours.most_chars, most_lines=most_lines or ours.most_lines)


def named(settings: LMSettings) -> bool:
    """A model was named, by an option or in the environment."""
    return bool(settings.model)


def connected_if(needed: bool, settings: LMSettings) -> AbstractContextManager[LM | None]:
    """As `connected`, where the model is needed; else None."""
    return connected(settings) if needed else nullcontext()


@contextmanager
def connected(settings: LMSettings) -> Iterator[LM]:
    """The model, and at the end a line about what was asked and what it cost. Raises: as `lm.connect`."""
    with connect(settings) as model:
        try:
            yield model
        finally:
            if model.totals().calls or model.totals().cached:
                say(f"{model.model}: {model.totals()}")


def asking_a_model(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the parameter `lm: LMSettings` gets the options of `settings` in its place."""
    own = inspect.signature(command, eval_str=True)
    options = inspect.signature(settings, eval_str=True).parameters
    others = {name: each for name, each in own.parameters.items() if name != PARAMETER}

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        of_model = {name: given.pop(name) for name in options}
        command(**given, **{PARAMETER: settings(**of_model)})

    order = sorted([*others.values(), *options.values()], key=lambda each: each.default is not inspect.Parameter.empty)
    keyword = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in order]
    setattr(with_options, "__signature__", own.replace(parameters=keyword))  # noqa: B010  (no attribute of its type)
    with_options.__annotations__ = {each.name: each.annotation for each in keyword}
    return with_options


def settings(
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url",
            help="An OpenAI-compatible endpoint: http://127.0.0.1:8000/v1. Default: OpenAI's, if there is a key.",
            envvar="OPENAI_BASE_URL",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="The model's name, as the endpoint knows it.", envvar="SWESMITH_GYM_LM_MODEL"),
    ] = None,
    api_key_env: Annotated[
        str | None,
        typer.Option(
            "--api-key-env",
            help="Name of the variable that holds the key; empty: send none. Default: OPENAI_API_KEY, if it is set.",
        ),
    ] = None,
    max_cost_usd: Annotated[
        float | None,
        typer.Option(
            "--max-cost-usd",
            min=0,
            help="Send nothing that may cost more than this in all; 0: only answers that are kept.",
        ),
    ] = None,
    price: Annotated[
        str | None,
        typer.Option("--price", metavar="IN,OUT", help="US dollars per million tokens in and out, such as 0.15,0.6."),
    ] = None,
    requests_per_minute: Annotated[
        int | None,
        typer.Option("--lm-requests-per-minute", min=1, help="At most so many requests to the model in a minute."),
    ] = None,
    concurrency: Annotated[
        int, typer.Option("--lm-concurrency", min=1, help="At most so many requests to the model at once.")
    ] = 4,
    timeout_s: Annotated[
        float, typer.Option("--lm-timeout-s", min=0.1, help="How long one request to the model may take, in seconds.")
    ] = 120.0,
    max_tokens: Annotated[
        int | None, typer.Option("--lm-max-tokens", min=1, help="Tokens of an answer at most; longer ones are cut off.")
    ] = None,
) -> LMSettings:
    """What these options say, for `lm.connect`. Raises: InputError (a price that is none)."""
    return LMSettings(
        base_url=base_url,
        model=model,
        api_key_env=api_key_env,
        max_cost_usd=max_cost_usd,
        price=None if price is None else parse_price(price),
        requests_per_minute=requests_per_minute,
        concurrency=concurrency,
        timeout_s=timeout_s,
        max_tokens=max_tokens,
    )
