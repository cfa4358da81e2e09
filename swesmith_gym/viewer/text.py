"""Untrusted text made fit to look at: nothing hidden, nothing reordered, nothing endless.

Not for HTML escaping: the templates escape everything by themselves.
"""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from swesmith_gym.tasks.text import HIDDEN
from swesmith_gym.wrappers.strip_ansi import strip_ansi

# The names of the controls from 0 to 31 (ECMA-48).
_C0_NAMES = """NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI
DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US"""
_C0 = _C0_NAMES.split()


def _name(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return f"⟨{_C0[code]}⟩"
    return "⟨DEL⟩" if code == 0x7F else f"⟨U+{code:04X}⟩"


def visible(text: str) -> str:
    """`text` with each control, invisible or reordering character replaced by a sign for it. Encodes as UTF-8."""
    return HIDDEN.sub(_name, text)


def marked(text: str) -> Markup:
    """As `visible`, escaped, with the signs set apart from the text by `<span class="ctl">`."""
    parts: list[str] = []
    done = 0
    for match in HIDDEN.finditer(text):
        parts += [escape(text[done : match.start()]), '<span class="ctl">', _name(match), "</span>"]
        done = match.end()
    parts.append(escape(text[done:]))
    return Markup("".join(parts))


def terminal(text: str, limit: int = 16_000) -> str:
    """Output of a command as a reader wants it: no escape sequences, plain line ends, at most `limit` characters."""
    return shortened(strip_ansi(text).replace("\r\n", "\n"), limit)


def shortened(text: str, limit: int) -> str:
    """Head and tail of a text that is longer than `limit` characters, with a line between that says so."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half:,} characters not shown …]\n{text[-half:]}"
