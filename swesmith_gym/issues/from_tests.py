"""Issues with a reproduction, made from one of the tests that the bug breaks."""

from __future__ import annotations

import random

from swesmith_gym.issues import parts, wording
from swesmith_gym.issues.facts import Facts


def statement(facts: Facts, rng: random.Random, language: str) -> str:
    """The whole text, Markdown, title first, of facts that hold code. `language`: of the code block."""
    words = wording.subject(facts, rng)
    title, opening = parts.title(facts, words, rng), parts.opening(facts, words, rng)
    mark = rng.choice(("###", "##", "####"))
    lead = wording.say(rng, wording.CODE_LEADS, words)
    sections = [
        f"{mark} {rng.choice(wording.CODE_HEADINGS)}\n\n{lead}\n\n{parts.fenced(facts.code, language)}",
        f"{mark} {rng.choice(wording.EXPECTED_HEADINGS)}\n\n{parts.expected(facts, words, rng, shown=True)}",
        f"{mark} {rng.choice(wording.ACTUAL_HEADINGS)}\n\n{parts.actual(facts, words, rng)}",
    ]
    ending = parts.closing(facts, words, rng)
    return "\n\n".join(part for part in (title, opening, *sections, ending) if part) + "\n"
