"""What a model answered, taken apart as Markdown: a title, prose, and a block of code. It is text, and no more."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from swesmith_gym.issues.faults import Fault
from swesmith_gym.issues.text import cleaned, hidden_share
from swesmith_gym.lm import fences

MAX_CHARS = 8000
MAX_TITLE = 200
MIN_WORDS = 15
"""Words besides the code and the title."""
_MAX_HIDDEN = 0.05
_MIN_LETTERS = 0.5
"""Share of letters among the characters of the prose that are no blanks."""
_MIN_DISTINCT = 0.2
"""Share of the words that are different ones, where there are more than `_MANY`."""
_MANY = 60
_WRAPPED = re.compile(r"\A\s*```(?:markdown|md)\s*\n(?P<inside>.*)\n```\s*\Z", re.DOTALL)
_CALLED = re.compile(r"\A\W{0,2}(?:issue\s+)?title\W{1,4}\s*", re.IGNORECASE)
_LIST = re.compile(r"[-*+>|]\s|\d+[.)]\s|<|[`~]{3}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A report in the form of a statement."""

    text: str
    """Markdown, title first."""
    code: str
    """The first closed block of the language; empty: there is none."""


def read(raw: str, *, cut_off: bool, languages: Collection[str]) -> Answer | Fault:
    """The report in an answer. `cut_off`: the model had more to say. `languages`: marks of the wanted block, in lower
    case."""
    if len(raw) > MAX_CHARS * 4:
        return Fault("too_long")
    if hidden_share(raw) > _MAX_HIDDEN:
        return Fault("not_text")
    text = cleaned(fences.spoken(raw))
    wrapped = _WRAPPED.match(text)
    text = (wrapped["inside"] if wrapped else text).strip()
    if not text:
        return Fault("too_long" if cut_off else "not_text")
    if cut_off or len(text) > MAX_CHARS:
        return Fault("too_long")
    title, _, rest = text.partition("\n")
    title = _plain_title(title)
    parts = fences.parts(rest)
    prose = " ".join(part.text for part in parts if not part.block)
    if title and not _readable(f"{title} {prose}"):
        return Fault("not_text")
    if not title or len(title) > MAX_TITLE:
        return Fault("no_title")
    if len(prose.split()) < MIN_WORDS:
        return Fault("too_short")
    wanted = (part.text for part in parts if part.block and part.closed and part.mark in languages)
    code = next((text for text in wanted if text.strip()), "")
    return Answer(f"{title}\n\n{rest.strip()}\n", code)


def _plain_title(line: str) -> str:
    """The title without the mark of a heading, the word for it and emphasis around it; empty where the line is none."""
    title = re.sub(r"\A#+\s*|\s+#+\Z", "", line.strip())
    if not line.lstrip().startswith("#") and _LIST.match(title):
        return ""
    title = _CALLED.sub("", title)
    for mark in ("**", "__"):
        if len(title) > 4 and title.startswith(mark) and title.endswith(mark):
            title = title[2:-2].strip()
    return title


def _readable(prose: str) -> bool:
    signs = [sign for sign in prose if not sign.isspace()]
    words = prose.lower().split()
    return (
        bool(signs)
        and sum(map(str.isalpha, signs)) >= _MIN_LETTERS * len(signs)
        and (len(words) <= _MANY or len(set(words)) >= _MIN_DISTINCT * len(words))
    )
