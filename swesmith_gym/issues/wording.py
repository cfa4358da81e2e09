"""The sentences of issues that no model writes: many ways to say the same, chosen by a seed.

Each list holds `str.format` templates over the fields of `Subject`. What they say is only ever the symptom.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields

from swesmith_gym.issues.facts import Facts

CRASH_TITLES = (
    "{error} in {place}",
    "{place}: unexpected {error}",
    "{error} where none should be ({place})",
    "{where} fails with {error}",
    "Regression: {error} from {place}",
    "{repo}: {error} in a case that is supposed to work ({place})",
)
VALUE_TITLES = (
    "Wrong result in {place}",
    "{place}: the result is not what it should be",
    "Unexpected outcome: {place}",
    "{repo} gives an incorrect result ({place})",
    "Incorrect behaviour of {place}",
    "{where} no longer behaves as expected",
)
SILENT_TITLES = (
    "Missing error in {place}",
    "{place}: invalid use goes unnoticed",
    "No exception where one is due ({place})",
    "{repo} accepts what it should refuse ({place})",
    "{where} is silent where it should raise",
)

CRASH_OPENINGS = (
    "I ran into {an_error} while working with {repo}. It is about {topic} and should go through without any error.",
    "Something is off in {repo}: code around {topic} stops with {an_error}.",
    "Using {repo} for {topic} ends in {an_error}. Nothing in my input is unusual as far as I can tell.",
    "With the current code base, {topic} does not work: {an_error} comes up instead of a result.",
    "We depend on {repo} for {topic}. At the moment this raises {an_error}, which I believe is a bug.",
    "{an_error_capital} is raised in a situation where {repo} ought to succeed. It concerns {topic}.",
    "There seems to be a defect in how {repo} deals with {topic}. All I get is {an_error}.",
)
VALUE_OPENINGS = (
    "The outcome that {repo} gives for {topic} is wrong. There is no error message, just the wrong outcome.",
    "While checking {topic} I noticed that {repo} does not do what it should.",
    "I believe there is a bug in {repo} that affects {topic}: what comes back is not what is documented.",
    "Something around {topic} is not right in {repo}. A small case shows it.",
    "{repo} misbehaves for {topic}. It does not crash, but what I get is not correct.",
    "In a project that builds on {repo}, results went wrong. I could narrow it down to {topic}.",
    "A check of mine about {topic} does not hold with this version of {repo}.",
)
SILENT_OPENINGS = (
    "{repo} should complain in a case about {topic}, but nothing happens.",
    "Invalid use is not detected: for {topic}, {repo} goes on as if all were well.",
    "I expected an exception from {repo} for {topic}. None is raised.",
    "The error handling of {repo} has a gap that concerns {topic}: a bad case passes silently.",
    "For {topic}, {repo} is supposed to raise, and does not.",
)

CODE_HEADINGS = ("Steps to reproduce", "Reproduction", "How to reproduce", "Minimal example", "Example")
EXPECTED_HEADINGS = ("Expected behaviour", "Expected", "What should happen", "Expected result")
ACTUAL_HEADINGS = ("Actual behaviour", "Actual", "What happens instead", "Observed result")
CODE_LEADS = (
    "This shows the problem:",
    "The following code is enough to see it:",
    "A short piece of code that should work:",
    "I could boil it down to this:",
    "Here is what I ran:",
)

CRASH_EXPECTED = (
    "The code runs to its end without an exception.",
    "No error: the case is valid and should be handled.",
    "It should complete, with every check in it holding.",
    "The operation succeeds.",
)
VALUE_EXPECTED = (
    "The check above holds.",
    "The values agree.",
    "The result is the one that the example asks for.",
    "Both sides of the comparison are equal.",
)
PLAIN_VALUE_EXPECTED = (
    "The documented outcome for such a case.",
    "A correct result for this kind of input.",
    "The same result as a working version gives.",
)
NAMED_EXPECTED = (
    "`{expected}`",
    "I expect `{expected}`.",
    "The right outcome is `{expected}`.",
    "It should be `{expected}`.",
)
NAMED_ACTUAL = ("`{actual}`", "I get `{actual}`.", "What comes out is `{actual}`.", "It is `{actual}`.")
MESSAGE_LEADS = (
    "The failure reads:",
    "The message that I see:",
    "This is the output:",
    "It ends like this:",
    "The error text:",
)
SILENT_ACTUAL = ("No exception is raised.", "The call returns normally.", "Nothing is raised at all.")

MORE_CASES = (
    "It is not the only case: {count} checks of mine are affected.",
    "{count} related cases fail as well as far as I can see.",
    "This is one example; in all, {count} cases show the problem.",
    "I see the same kind of trouble in {count} cases.",
)
MORE_AREAS = (
    "Other parts where I notice it: {areas}.",
    "It also shows in connection with {areas}.",
    "Related symptoms appear around {areas}.",
)


@dataclass(frozen=True, slots=True)
class Subject:
    """The words that templates are filled with."""

    repo: str
    place: str
    where: str
    topic: str
    error: str
    an_error: str
    an_error_capital: str
    expected: str
    actual: str
    count: str
    areas: str


def subject(facts: Facts, rng: random.Random) -> Subject:
    """The words for one task."""
    error = facts.exception.rpartition(".")[2] or "error"
    article = "an" if error[:1].lower() in "aeiou" else "a"
    case = facts.topic or facts.area or "a common case"
    topic = f"`{case}`" if " " not in case else f'"{case}"'
    if facts.area and facts.area != case:
        topic = f"{topic} ({facts.area})"
    joined = rng.choice(("{area} - {case}", "{area}: {case}", "{case}", "{case}, {area}"))
    place = joined.format(area=facts.area, case=case) if facts.area and facts.area != case else case
    shown = f"`{error}`" if facts.exception else "error"
    return Subject(
        repo=facts.repo,
        place=place,
        where=place[:1].upper() + place[1:],
        topic=topic,
        error=error,
        an_error=f"{article} {shown}",
        an_error_capital=f"{article.capitalize()} {shown}",
        expected=facts.expected,
        actual=facts.actual,
        count=str(facts.failures),
        areas=_listed(facts.other_areas),
    )


def say(rng: random.Random, choices: Sequence[str], words: Subject) -> str:
    """One of the templates, filled in. Braces in the words are left as they are."""
    return rng.choice(choices).format(**{item.name: getattr(words, item.name) for item in fields(words)})


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
