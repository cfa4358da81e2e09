"""Why what a model wrote is no statement: a reason by name, and what the model is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WORDS: Mapping[str, str] = {
    "not_text": "It is not readable prose: it is empty, full of signs, or says the same over and over.",
    "no_title": "The first line has to be the title: one short line of plain text, no code and no list.",
    "too_short": "It is too short: say in a few sentences what you did, what you expected and what happened.",
    "too_long": "It is too long, or was cut off: keep it to the symptom and one short piece of code.",
    "quotes_fix": "It copies a line of the change, which gives the solution away. Leave that out.",
    "names_strategy": "It uses a word that says how the misbehaviour was made. Write as a user who does not know.",
    "names_test": "It names the failing check or the file that holds it. A user does not know of it: leave it out.",
    "says_injected": "It says that somebody put the bug in, or speaks of a patch or a diff. Report the symptom only.",
    "no_reproduction": "It has no fenced block, marked with the language, of code that shows the problem.",
    "fails_without_bug": "The code also fails where the library is right, so that it does not show the problem.",
    "hangs_without_bug": "The code does not come to an end in time where the library is right.",
    "passes_with_bug": "The code runs to its end without an error while the library misbehaves. It has to raise one: "
    "compare what comes back with what is right by an assertion.",
    "reproduction_varies": "The code does not do the same each time it is run. Take chance and time out of it.",
}
"""Faults that another answer may not have, with what is said of them."""
LM_REASONS = frozenset({"lm_error", "context_exceeded", "sandbox_died", "patch_does_not_apply"})
"""Further reasons why there is no statement of mode `lm`, which no other answer would change."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an answer."""

    reason: str
    """A key of WORDS, or one of LM_REASONS."""
    detail: str = ""
    """What was found, as it is shown to the model; empty: nothing in particular."""

    def words(self) -> str:
        """The next turn of the conversation."""
        shown = f"\n\nIn particular:\n\n{self.detail}" if self.detail else ""
        return f"This report cannot be used. {WORDS[self.reason]}{shown}\n\nWrite the whole report again."
