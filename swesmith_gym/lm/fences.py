"""A model's answer as Markdown: prose and fenced blocks in order, and the answer without what was thought aloud.

Fences are CommonMark's (0.31, section 4.5), but one may be indented by any depth, as in a list within a list. Any text
is taken, in linear time; nothing in it is followed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FENCE = re.compile(r"([ \t]*+)(`{3,}+|~{3,}+)(.*)")
_MARK = re.compile(r"[\s{.]*+([\w+#-]*)")
_CLOSER = 3
"""Columns that a closing fence may be indented by more than its opening one: a fence deeper in code is the code's."""
_TAB = 4
_OPENED = re.compile(r"\s*+<think(?:ing)?>", re.IGNORECASE)
_ANY_OPENED = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_CLOSED = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_CLOSED_ROW = re.compile(r"</think(?:ing)?>[ \t\r]*+$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of an answer."""

    text: str
    """Its lines, each ended by LF; of a block those between the fences, less the indentation of the opening one."""
    info: str | None = None
    """What stands behind the opening fence; None: this is prose."""
    closed: bool = True
    """It has its closing fence; one that has none goes on to the end of the answer."""

    @property
    def block(self) -> bool:
        """It was fenced."""
        return self.info is not None

    @property
    def mark(self) -> str:
        """The name of the language, in lower case: `python` of `Python 3` and of `{.python}`; empty where none is
        given."""
        found = _MARK.match(self.info or "")
        return found[1].lower() if found else ""


def parts(text: str) -> list[Part]:
    """Prose and blocks in order; prose of no lines is left out. Ends of lines may be LF, CRLF or CR."""
    found: list[Part] = []
    rows: list[str] = []
    indent = fence = info = ""

    def ended(info: str | None, *, closed: bool = True) -> None:
        if rows or info is not None:
            found.append(Part("".join(f"{row}\n" for row in rows), info, closed))
        rows.clear()

    for row in _rows(text):
        match = _FENCE.match(row)
        if match and fence and _closes(match, indent, fence):
            ended(info)
            fence = ""
        elif match and not fence and not (match[2][0] == "`" and "`" in match[3]):
            ended(None)
            indent, fence, info = match[1], match[2], match[3].strip()
        else:
            rows.append(_outdented(row, indent) if fence else row)
    ended(info if fence else None, closed=not fence)
    return found


def spoken(text: str) -> str:
    """An answer without what a model thinks aloud before it, between `<think>` and `</think>`.

    Thinking that never ends leaves nothing. The first tag may be missing, as where the template of a chat holds it:
    then the closing one has to end its line.
    """
    opened = _OPENED.match(text)
    if opened:
        closed = _CLOSED.search(text, opened.end())
        return text[closed.end() :] if closed else ""
    closed = _CLOSED_ROW.search(text)
    return text[closed.end() :] if closed and not _ANY_OPENED.search(text, 0, closed.start()) else text


def fence_around(*texts: str) -> str:
    """A fence of backticks that is longer than any in these texts."""
    return "`" * (max((len(each) for text in texts for each in re.findall("`{3,}+", text)), default=2) + 1)


def _rows(text: str) -> list[str]:
    """Without an empty one behind the last end of a line."""
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return rows if rows[-1] else rows[:-1]


def _closes(match: re.Match[str], indent: str, fence: str) -> bool:
    deeper = len(match[1].expandtabs(_TAB)) - len(indent.expandtabs(_TAB))
    return match[2].startswith(fence) and not match[3].strip() and deeper <= _CLOSER


def _outdented(row: str, indent: str) -> str:
    """As little as the row has of it, where it has less."""
    return row[min(len(indent), len(row) - len(row.lstrip(" \t"))) :]
