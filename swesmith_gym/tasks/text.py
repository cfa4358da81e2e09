"""Text that every encoder takes, and every reader sees whole: strings of Python may hold what neither can."""

from __future__ import annotations

import re

HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Controls except tab and line feed, soft hyphen, joiners, marks and overrides of direction (UAX #9), separators,
annotations, tags, the byte order mark, and halves of surrogate pairs."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def encodable(text: str) -> str:
    """`text` with U+FFFD for each lone surrogate, so that it can be encoded as UTF-8."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)
