"""The little Markdown that problem statements use, as data for a template: headings, fences, lists, inline code.

Anything else stays text. No HTML, no links, no images: a statement is untrusted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FENCE = re.compile(r"(`{3,}|~{3,})")
_HEADING = re.compile(r"#{1,6}\s+(.*)")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s+(.*)")
_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a statement."""

    kind: str
    """`code`, `heading`, `list` or `text`."""
    lines: tuple[str, ...]
    """Lines of code or text, items of a list, or the one line of a heading."""


def blocks(source: str) -> list[Block]:
    """The parts of `source` in order. Every input is some text; nothing is refused."""
    found: list[Block] = []
    pending: list[str] = []
    open_kind = fence = ""

    def flush() -> None:
        if pending:
            found.append(Block(open_kind, tuple(pending)))
            pending.clear()

    for line in source.replace("\r\n", "\n").split("\n"):
        if fence:
            if line.strip().startswith(fence):
                fence = ""
                flush()
            else:
                pending.append(line)
            continue
        kind, content = _classify(line)
        if kind != open_kind or kind in ("", "heading", "code"):
            flush()
        open_kind = kind
        if kind == "code":
            fence = content
        elif kind:
            pending.append(content)
    flush()
    return found


def _classify(line: str) -> tuple[str, str]:
    stripped = line.strip()
    if opened := _FENCE.match(stripped):
        return "code", opened[1]
    if heading := _HEADING.fullmatch(stripped):
        return "heading", heading[1]
    if item := _ITEM.fullmatch(line):
        return "list", item[1]
    return ("text", line) if stripped else ("", "")


def inline(text: str) -> list[tuple[bool, str]]:
    """Pieces of a line: (is code, text)."""
    return [(bool(index % 2), piece) for index, piece in enumerate(_CODE.split(text)) if piece]
