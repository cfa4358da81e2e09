"""Words in new code that give its bug away."""

from __future__ import annotations

import re

_OF_A_BUG = re.compile(
    r"\b(?:bugs?|buggy|wrong(?:ly)?|incorrect(?:ly)?|intentional(?:ly)?|deliberate(?:ly)?|purposely|on purpose"
    r"|off[- ]by[- ](?:one|1)|subtl[ey]|should(?:n't| not)? (?:be|have)|introduc(?:e|es|ed|ing)|originally"
    r"|original (?:code|version|condition|check|was)|mistakes?|mistaken(?:ly)?|erroneous(?:ly)?|faulty?|flaw(?:ed|s)?"
    r"|defects?|broken|inject(?:s|ed)?|fixme|instead of|previously|was:"
    r"|(?:changed|modified|altered|swapped|flipped|inverted|removed) (?:from|to|this|here|line|logic|the (?:condition|"
    r"comparison|operator|order|check)))(?!\w)",
    re.IGNORECASE,
)
_OF_TAKING_BACK = re.compile(
    r"\b(?:bug|buggy|revert(?:ed|s)?|undo(?:ne)?|undid|removed|previous(?:ly)?|original(?:ly)?)\b", re.IGNORECASE
)


def reveals_bug(comment: str) -> bool:
    """A new comment, or documentation, says that something is wrong or was changed."""
    return bool(_OF_A_BUG.search(comment))


def reveals_undoing(line: str) -> bool:
    """A line that neither the file nor the change knows, code and comment, says that a change was taken back. Fewer
    words than of comments: many of the others are names and messages of ordinary code."""
    return bool(_OF_TAKING_BACK.search(line))
