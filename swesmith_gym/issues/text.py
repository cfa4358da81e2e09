"""Untrusted prose made fit for a statement: plain line ends, nothing hidden, nothing that moves a cursor."""

from __future__ import annotations

import re

from swesmith_gym.visible import HIDDEN

_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
"""Colours and cursor moves (ECMA-48, 5.4)."""
_BLANKS = re.compile(r"\n{4,}")


def cleaned(text: str) -> str:
    """`text` without what a reader does not see, without blanks at the ends of lines, with at most two empty lines in
    a row; ends with a line feed unless it is empty."""
    text = _SEQUENCE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = [line.rstrip() for line in HIDDEN.sub("", text).split("\n")]
    whole = _BLANKS.sub("\n\n\n", "\n".join(lines)).strip("\n")
    return f"{whole}\n" if whole.strip() else ""


def hidden_share(text: str) -> float:
    """Share of the characters that a reader does not see, or that stand for what could not be read."""
    return (len(HIDDEN.findall(text.replace("\r", ""))) + text.count("\ufffd")) / len(text) if text else 0.0


def shortened(text: str, limit: int) -> str:
    """Head and tail, in whole lines where they are short, of a text with more than `limit` characters."""
    if len(text) <= limit:
        return text
    head, tail = text[: limit // 2], text[-(limit // 2) :]
    return "\n".join((head.rpartition("\n")[0] or head, "[...]", tail.partition("\n")[2] or tail))
