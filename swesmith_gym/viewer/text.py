"""Untrusted text made fit to look at: nothing hidden, nothing reordered, nothing endless.

Not for HTML escaping: the templates escape everything by themselves.
"""

from __future__ import annotations

from markupsafe import Markup, escape

from swesmith_gym.visible import HIDDEN, shortened, sign, visible
from swesmith_gym.wrappers.strip_ansi import strip_ansi

__all__ = ["marked", "shortened", "terminal", "visible"]


def marked(text: str) -> Markup:
    """As `visible`, escaped, with the signs set apart from the text by `<span class="ctl">`."""
    parts: list[str] = []
    done = 0
    for match in HIDDEN.finditer(text):
        parts += [escape(text[done : match.start()]), '<span class="ctl">', sign(match), "</span>"]
        done = match.end()
    parts.append(escape(text[done:]))
    return Markup("".join(parts))


def terminal(text: str, limit: int = 16_000) -> str:
    """Output of a command as a reader wants it: no escape sequences, plain line ends, at most `limit` characters."""
    return shortened(strip_ansi(text).replace("\r\n", "\n"), limit)
