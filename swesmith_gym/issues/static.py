"""Issues without code: the symptom alone, as someone reports it who cannot share how they got there."""

from __future__ import annotations

import random

from swesmith_gym.issues import parts, wording
from swesmith_gym.issues.facts import Facts


def statement(facts: Facts, rng: random.Random) -> str:
    """The whole text, Markdown, title first."""
    words = wording.subject(facts, rng)
    title, opening = parts.title(facts, words, rng), parts.opening(facts, words, rng)
    expected = parts.expected(facts, words, rng, shown=False)
    actual = parts.actual(facts, words, rng)
    ending = parts.closing(facts, words, rng)
    wanted = rng.choice(wording.EXPECTED_HEADINGS), expected
    got = rng.choice(wording.ACTUAL_HEADINGS), actual
    order = (wanted, got) if rng.random() < 0.5 else (got, wanted)
    sections = [f"**{heading}**\n\n{text}" for heading, text in order]
    return "\n\n".join(part for part in (title, opening, *sections, ending) if part) + "\n"
