"""A model's answer, read strictly: which code in it stands for the entity, and why it is no bug where it is none.

Nothing of it is run or followed. Knows no language: what code is comes from `Language`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from swesmith_gym import visible
from swesmith_gym.bugs.telling import reveals_bug
from swesmith_gym.languages.base import Language
from swesmith_gym.languages.rewriting import Rewriting
from swesmith_gym.lm import fences
from swesmith_gym.records import CodeEntity

MOST_CHARS = 400_000
"""Of an answer that is looked at."""
MOST_BLOCKS = 8
"""Blocks of code that are tried, from the first one on."""
MOST_EXPLANATION = 500
"""Characters of what a model says it did."""

_EXPLANATION = re.compile(r"^[ \t>*_#]*explanation[*_ \t]*:[*_ \t]*(.*)", re.IGNORECASE)
_STANDS_FOR_CODE = re.compile(
    r"\btodo\b|\byour (?:code|implementation)\b|\bimplement(?:ation)? (?:this|me|here|goes)\b|\bnot implemented\b"
    r"|\brest of (?:the|this)\b|\b(?:existing|remaining|other) (?:code|methods|logic|implementation)\b"
    r"|\bremains? (?:the same|unchanged|as)\b|\b(?:code )?(?:omitted|unchanged)\b|^\W*\.\.\.\W*$",
    re.IGNORECASE,
)
_SAYS: dict[str, str] = {
    "no_code": "it holds no code.",
    "syntax_error": "the code does not parse.",
    "outside_entity": "it must hold that one definition, of the same name, kind and signature, and nothing else.",
    "placeholder": "the code is not complete.",
    "unchanged": "the code is the same as before.",
    "equivalent": "the code behaves in the same way as before.",
    "reveals_bug": "a comment in the code gives the change away.",
    "duplicate": "the same code was given before.",
    "too_large": "it is too long.",
}
_FURTHEST = ("placeholder", "outside_entity", "syntax_error", "too_large", "no_code")
"""Reasons by how much of an answer was in order: of several blocks of code the best one counts."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, taken apart."""

    blocks: tuple[str, ...]
    """Code, in order: what is fenced; without any fence, the whole text."""
    fenced: bool
    closed: bool
    """The last block has its end."""
    explanation: str
    """What the model says it did, on one line; empty where it says nothing."""


@dataclass(frozen=True, slots=True)
class Read:
    """What an answer is worth."""

    source: str = ""
    """The file with the bug; empty where none could be made."""
    reason: str = ""
    """One of REJECTION_REASONS; empty: it may be a bug."""
    detail: str = ""
    explanation: str = ""


def read(text: str, language: Language, source: str, entity: CodeEntity, *, same_call: bool, cut: bool = False) -> Read:
    """Judge an answer. `same_call`: as in `Language.rewritten`. `cut`: the answer was longer than it might be.

    Never raises for what the answer holds.
    """
    if len(text) > MOST_CHARS:
        return Read(reason="too_large", detail=f"an answer of {len(text)} characters")
    reply = taken_apart(text)
    if cut and not reply.closed:
        # What parses all the same has lost its end.
        return Read(reason="syntax_error", detail="the answer was cut off", explanation=reply.explanation)
    found = _one(reply, language, source, entity, same_call)
    reason, detail = (found.reason, found.detail) if found.reason else _fault(found, language, source)
    return Read(found.source, reason, visible.line(detail, 200), reply.explanation)


def said(reason: str, detail: str) -> str:
    """A rejected answer's reason, as a sentence for the model."""
    sentence = _SAYS.get(reason, "it cannot be used.")
    return (
        f"{sentence} ({detail})" if detail and reason in ("syntax_error", "outside_entity", "placeholder") else sentence
    )


def taken_apart(text: str) -> Reply:
    """Blocks of code and what is said of them. A fence that is never closed goes on to the end."""
    found = fences.parts(fences.spoken(text))
    blocks = [part for part in found if part.block]
    explanation, other = _explained([row for part in found if not part.block for row in part.text.split("\n")[:-1]])
    if blocks:
        code = tuple(block.text for block in blocks if block.text.strip())
        return Reply(code, True, blocks[-1].closed, explanation)
    whole = "\n".join(other).strip("\n")
    return Reply((whole + "\n",) if whole.strip() else (), False, False, explanation)


def _explained(prose: list[str]) -> tuple[str, list[str]]:
    """What stands behind `Explanation:`, up to the end of its paragraph; the rows without it."""
    for at, row in enumerate(prose):
        match = _EXPLANATION.match(row)
        if match:
            end = at + 1
            said_here = match[1].strip()
            while end < len(prose) and (prose[end].strip() or not said_here):
                said_here += " " + prose[end].strip()
                end += 1
            return visible.line(said_here, MOST_EXPLANATION), [*prose[:at], *prose[end:]]
    return "", prose


def _one(reply: Reply, language: Language, source: str, entity: CodeEntity, same_call: bool) -> Rewriting:
    """The one use of the answer's code, or the best reason why there is none."""
    made = [language.rewritten(source, entity, block, same_call=same_call) for block in _tried(reply, language)]
    good = {each.source: each for each in made if not each.reason}
    new = [each for each in good.values() if each.source != source]
    if len(new) > 1:
        return Rewriting("", "outside_entity", f"{len(new)} different definitions of {entity.name}")
    if good:
        return new[0] if new else good[source]
    if not made:
        return Rewriting("", "no_code", "the block of code is empty" if reply.fenced else "no code in the answer")
    return min(made, key=lambda each: _FURTHEST.index(each.reason) if each.reason in _FURTHEST else 0)


def _tried(reply: Reply, language: Language) -> Iterator[str]:
    """Without a fence, prose may stand around the code: it is cut off only where the whole does not parse."""
    for block in reply.blocks[:MOST_BLOCKS]:
        code = block if reply.fenced else language.code_in(block)
        if code:
            yield block if reply.fenced or not language.syntax_error(block) else code


def _fault(found: Rewriting, language: Language, source: str) -> tuple[str, str]:
    if found.source == source:
        return "unchanged", ""
    error = language.syntax_error(found.source)
    if error:
        return "syntax_error", error
    for text in found.prose:
        if _STANDS_FOR_CODE.search(text):
            return "placeholder", f"a comment stands for code: {text}"
    if language.equivalent(source, found.source):
        return "equivalent", ""
    for text in found.prose:
        if reveals_bug(text):
            return "reveals_bug", text
    return "", ""
