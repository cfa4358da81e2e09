"""The template environment: escaping, filters, and the one style and one script with their policy."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from swesmith_gym.viewer import diffs, markdown, outcomes
from swesmith_gym.viewer.text import marked, shortened, terminal, visible

if TYPE_CHECKING:
    from jinja2 import Environment


def _show(value: Any) -> Any:
    """Last thing before escaping, for every value of every template: no hidden character gets through."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _amount(value: float | None, digits: int = 0) -> str:
    """A figure for people: thousands apart, at most `digits` decimals, a dash where it is not known."""
    if value is None:
        return "–"
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _call(action: Any) -> tuple[str, str]:
    """An action as (tool, what it was given)."""
    if isinstance(action, str):
        return "bash", action
    if not isinstance(action, dict):
        return "?", repr(action)
    rest = {key: value for key, value in action.items() if key != "tool"}
    if set(rest) == {"command"} and isinstance(rest["command"], str):
        return str(action.get("tool", "?")), rest["command"]
    return str(action.get("tool", "?")), "\n".join(_argument(key, value) for key, value in rest.items())


def _argument(key: Any, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)
    return f"{key}:\n{text}" if "\n" in text else f"{key}: {text}"


def _source(hashed: str) -> str:
    return f"'sha256-{b64encode(sha256(hashed.encode()).digest()).decode()}'"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The environment of all templates; made once in a process."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("swesmith_gym.viewer"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_show,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (
        files("swesmith_gym.viewer").joinpath(name).read_text("utf-8") for name in ("style.css", "list.js")
    )
    policy = (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    made.globals.update(style=Markup(style), script=Markup(script), policy=policy)
    made.globals.update(outcome=outcomes.outcome, reason=outcomes.reason, call=_call)
    made.filters.update(
        amount=_amount,
        percent=_percent,
        marked=marked,
        terminal=terminal,
        shortened=shortened,
        files=diffs.parse,
        blocks=markdown.blocks,
        inline=markdown.inline,
    )
    return made
