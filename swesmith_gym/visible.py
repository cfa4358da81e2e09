"""Untrusted text for a screen or a page: nothing in it is hidden, or reorders what is around it.

Not for escaping: whoever shows it still escapes it for the place that it goes to.
"""

from __future__ import annotations

import re

# Controls except tab and line feed, soft hyphen, joiners, marks and overrides of direction (UAX #9), separators,
# annotations, tags, the byte order mark, and halves of surrogate pairs.
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


# The names of the controls from 0 to 31 (ECMA-48).
_C0_NAMES = """NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI
DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US"""
_C0 = _C0_NAMES.split()


def sign(match: re.Match[str]) -> str:
    """What stands for one hidden character."""
    code = ord(match[0])
    if code < 0x20:
        return f"⟨{_C0[code]}⟩"
    return "⟨DEL⟩" if code == 0x7F else f"⟨U+{code:04X}⟩"


def visible(text: str) -> str:
    """`text` with each control, invisible or reordering character replaced by a sign for it. Encodes as UTF-8."""
    return HIDDEN.sub(sign, text)


def line(text: str, limit: int = 120) -> str:
    """`text` on one line of at most `limit` characters, as `visible`."""
    shown = visible(" ".join(text.split()))
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."


def shortened(text: str, limit: int) -> str:
    """Head and tail of a text that is longer than `limit` characters, with a line between that says so."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half:,} characters not shown …]\n{text[-half:]}"
