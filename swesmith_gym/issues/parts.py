"""The sections that both kinds of issue share."""

from __future__ import annotations

import random

from swesmith_gym.issues import wording
from swesmith_gym.issues.facts import Facts
from swesmith_gym.issues.wording import Subject, say


def title(facts: Facts, words: Subject, rng: random.Random) -> str:
    """The first line."""
    if facts.not_raised:
        return say(rng, wording.SILENT_TITLES, words)
    return say(rng, wording.VALUE_TITLES if facts.assertion else wording.CRASH_TITLES, words)


def opening(facts: Facts, words: Subject, rng: random.Random) -> str:
    """What goes wrong, in one or two sentences."""
    if facts.not_raised:
        return say(rng, wording.SILENT_OPENINGS, words)
    return say(rng, wording.VALUE_OPENINGS if facts.assertion else wording.CRASH_OPENINGS, words)


def expected(facts: Facts, words: Subject, rng: random.Random, *, shown: bool) -> str:
    """What should happen. `shown`: a reproduction stands above."""
    if facts.not_raised:
        return f"`{facts.expected.removesuffix(' is raised')}` is raised."
    if facts.expected and "`" not in facts.expected:
        return say(rng, wording.NAMED_EXPECTED, words)
    if facts.assertion:
        return say(rng, wording.VALUE_EXPECTED if shown else wording.PLAIN_VALUE_EXPECTED, words)
    return say(rng, wording.CRASH_EXPECTED, words)


def actual(facts: Facts, words: Subject, rng: random.Random) -> str:
    """What happens, with the values or the message as the failure gives them."""
    if facts.not_raised:
        return say(rng, wording.SILENT_ACTUAL, words)
    said = say(rng, wording.NAMED_ACTUAL, words) if facts.actual and "`" not in facts.actual else ""
    short = len(facts.message.splitlines()) <= 1
    if said and short:
        return said
    kind = f"{facts.exception}: " if facts.exception and not facts.message.startswith("assert ") else ""
    text = f"{kind}{facts.message}".removesuffix(": ") or "(no message)"
    lead = say(rng, wording.MESSAGE_LEADS, words)
    return "\n\n".join(part for part in (said, f"{lead}\n\n{fenced(text)}") if part)


def closing(facts: Facts, words: Subject, rng: random.Random) -> str:
    """How far the trouble reaches; empty for a single case."""
    parts = []
    if facts.failures > 1:
        parts.append(say(rng, wording.MORE_CASES, words))
    if facts.other_areas:
        parts.append(say(rng, wording.MORE_AREAS, words))
    return " ".join(parts)


def fenced(text: str, language: str = "") -> str:
    """A block of code whose fence is longer than any in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"
