"""Does a text tell what only its maker can know: the fix, how the bug was made, which tests show it?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from swesmith_gym.issues.faults import Fault
from swesmith_gym.issues.leaks import leaks
from swesmith_gym.languages.base import Language
from swesmith_gym.records import TaskInstance
from swesmith_gym.tasks.scan.surroundings import telling_words

STRATEGIES = ("lm_modify", "lm_rewrite", "combine_file", "combine_module", "pr_mirror")
_FLAW = r"(?:bug|fault|defect|error|flaw|mistake|regression|problem|issue|misbehaviou?r)s?"
_PUT_IN = r"(?:injected|introduced|inserted|planted|seeded|implanted)"
_ON_PURPOSE = r"(?:deliberately|intentionally|purposely|purposefully|artificially|synthetically)"
_INJECTED = re.compile(
    rf"""\b(?:
      {_FLAW}\s+(?:(?:that|which|was|were|is|are|has|have|had|been|being|got|\w+ly)\s+)*{_PUT_IN}
    | (?:inject|introduc|insert|plant|seed|implant)(?:s|es|ed|e|ing)?\s+(?:(?:a|an|the|this|some)\s+)?(?:\w+\s+)?{_FLAW}
    | {_ON_PURPOSE}\s+(?:\w+\s+)?(?:{_PUT_IN[3:-1]}|broken|buggy|modified|changed|altered|added|wrong|faulty)
    | (?:{_FLAW}|{_PUT_IN}|broken|changed|modified|altered)\s+(?:\w+\s+)?on\s+purpose
    | (?:synthetic|artificial|injected|planted|intentional|deliberate)\s+{_FLAW}
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)
_OF_MAKERS = re.compile(
    r"\b(?:mutants?|mutations?|(?:the|this|that|above|below|given|provided|bug|buggy|gold)\s+(?:patch|diff)"
    r"(?!\s+(?:release|version|level|number)))\b",
    re.IGNORECASE,
)
"""Words of who makes bugs, which some libraries are about."""


def fault(text: str, task: TaskInstance, language: Language, shown: str) -> Fault | None:
    """The first thing that a statement must not say, or None. `shown`: what its writer was given besides the bug; words
    of it are the library's own."""
    for span in (*leaks(text, task.gold_patch), *leaks(text, task.bug_patch)):
        return Fault("quotes_fix", f"    {span}")
    for reason, words in (
        ("names_strategy", strategy_words(text, task, language)),
        ("names_test", test_names(text, task, language)),
        ("says_injected", _injected(text, shown)),
    ):
        for word in words:
            return Fault(reason, f"    {word}")
    return None


def strategy_words(text: str, task: TaskInstance, language: Language) -> Iterator[str]:
    """Words of the text that name the task, its strategy or an operator."""
    lower = text.lower()
    yield from (word for word in telling_words(task) if word in lower)
    names = {*STRATEGIES, *language.operator_names(), *((task.operator,) if task.operator else ())}
    for name in sorted(name for name in names if "_" in name):
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", lower):
            yield name


def test_names(text: str, task: TaskInstance, language: Language) -> Iterator[str]:
    """Ids of FAIL_TO_PASS tests, and their files, that the text names."""
    names: dict[str, None] = {}
    for test in task.FAIL_TO_PASS:
        path = language.module_of(test)
        names |= dict.fromkeys((test, test.partition("[")[0], path, path.rpartition("/")[2]))
    for name in names:
        if name and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text):
            yield name


def _injected(text: str, shown: str) -> Iterator[str]:
    yield from (found[0] for found in _INJECTED.finditer(text))
    own = shown.lower()
    for found in _OF_MAKERS.finditer(text):
        if found[0].split()[-1].lower() not in own:
            yield found[0]
