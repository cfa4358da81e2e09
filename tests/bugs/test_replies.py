"""Answers of models are read strictly, whatever they hold."""

from __future__ import annotations

import pytest

from swesmith_gym import languages
from swesmith_gym.bugs.replies import MOST_CHARS, Read, read, said, taken_apart
from swesmith_gym.records import REJECTION_REASONS

PYTHON = languages.get("python")
SOURCE = """\
def clip(value, low, high):
    if value < low:
        return low
    if value > high:
        return high
    return value


other = 1
"""
BUG = SOURCE.replace("value < low", "value <= high").removesuffix("\n\nother = 1\n")
SAME = SOURCE.removesuffix("\n\nother = 1\n")
F = "```"


def answer(text: str, *, same_call: bool = True) -> Read:
    return read(text, PYTHON, SOURCE, PYTHON.entities("m.py", SOURCE)[0], same_call=same_call)


@pytest.mark.parametrize(
    "text",
    [
        f"{F}python\n{BUG}{F}",
        f"{F}\n{BUG}{F}\n",
        f"{F}python\r\n{BUG}{F}".replace("\n", "\r\n"),
        f"Sure!\n\n{F}Python 3\n{BUG}{F}\n\nEnjoy.",
        f"~~~py\n{BUG}~~~",
        f"````\n{BUG}````",
        f"- a list\n   {F}python\n" + "".join(f"   {row}\n" for row in BUG.splitlines()) + f"   {F}",
        f"{F}python\n{BUG}",
        BUG,
        f"Here it is:\n\n{BUG}\nIt is wrong now.",
        f"<think>\n{F}python\ndef clip(): pass\n{F}\n</think>\n{F}python\n{BUG}{F}",
        f"The old one:\n{F}\n{SAME}{F}\nThe new one:\n{F}\n{BUG}{F}",
        f"{F}\n{BUG}{F}\nagain\n{F}\n{BUG}{F}",
        f"{F}\n{BUG}{F}\nUse it so:\n{F}\nclip(1, 2, 3)\n{F}",
        f"{F}\n\n{F}\n{F}\n{BUG}{F}",
        f"I think.\n{F}\ndef clip(): pass\n{F}\n</think>\n\n{F}python\n{BUG}{F}",
    ],
    ids=range(16),
)
def test_the_code_of_an_answer_is_found(text: str) -> None:
    found = answer(text)
    assert (found.reason, found.detail) == ("", "")
    assert found.source == SOURCE.replace("value < low", "value <= high")


COMMENT = "    if value <= high:  # {}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no_code"),
        (" \n\n", "no_code"),
        ("I cannot help with that.", "no_code"),
        (f"{F}\n{F}", "no_code"),
        (f"{F}\n# nothing\n{F}", "no_code"),
        ("<think>for ever", "no_code"),
        ("\0\0\0", "no_code"),
        ("x" * (MOST_CHARS + 1), "too_large"),
        ("a b\n" * 50_000, "no_code"),
        ("(" * 200_000, "no_code"),
        (f"{F}\n" * 60_000, "no_code"),
        (f"{F}\n{BUG}\n{'y = 1' + chr(10)}" + "# x\n" * 50_000 + F, "too_large"),
        (f"{F}python\n{BUG[:50]}", "syntax_error"),
        (f"{F}\ndef clip(value, low, high):\n    return {'(' * 3000}{')' * 3000}\n{F}", "syntax_error"),
        (f"{F}\ndef clip(value, low, high):\n    return '\0'\n{F}", "syntax_error"),
        (f"{F}\ndef clip(value, low, high):\n    nonlocal value\n    return 1\n{F}", "syntax_error"),
        (f"{F}\n{SAME}{F}", "unchanged"),
        (SAME.replace("\n", "\r\n"), "unchanged"),
        (f"{F}\n{SAME.replace('value < low', '(value<low)')}{F}", "equivalent"),
        (f"{F}\n{SAME.replace('low:', 'low:  # a bug')}{F}", "equivalent"),
        (f"{F}\nimport os\n{BUG}{F}", "outside_entity"),
        (f"{F}\n{BUG}\n\nother = 2\n{F}", "outside_entity"),
        (f"{BUG}\nprint(clip(1, 2, 3))\n", "outside_entity"),
        (f"So:\n\n{BUG}\nprint(clip(1, 2, 3))\n\nDone", "outside_entity"),
        (f"{F}\n{BUG}{F}\n{F}\n{BUG.replace('<= high', '!= low')}{F}", "outside_entity"),
        (f"{F}\n{BUG.replace('clip', 'clap')}{F}", "outside_entity"),
        (f"{F}\ndef clip(value, low, high):\n    pass\n{F}", "placeholder"),
        (f"{F}\ndef clip(value, low, high):\n    # TODO\n    return value\n{F}", "placeholder"),
        (f"{F}\ndef clip(value, low, high):\n    # ... rest of the code ...\n    return 1\n{F}", "placeholder"),
    ],
    ids=range(29),
)
def test_what_is_no_bug_is_refused_with_the_reason(text: str, reason: str) -> None:
    found = answer(text)
    assert found.reason == reason, found
    assert reason in REJECTION_REASONS
    assert len(found.detail) <= 200
    assert said(found.reason, found.detail)


@pytest.mark.parametrize(
    ("comment", "reveals"),
    [
        ("bug: bound", True),
        ("wrong on purpose", True),
        ("BUG", True),
        ("Intentionally loose", True),
        ("off-by-one", True),
        ("off by one", True),
        ("should be value < low", True),
        ("a subtle change", True),
        ("was: value < low", True),
        ("originally <", True),
        ("introduced here", True),
        ("changed from <", True),
        ("use <= instead of <", True),
        ("keep the original order", False),
        ("debug output", False),
        ("the upper bound", False),
        ("returns the modified list", False),
    ],
)
def test_a_comment_that_gives_the_bug_away(comment: str, reveals: bool) -> None:
    text = BUG.replace("    if value <= high:", COMMENT.format(comment))
    found = answer(f"{F}\n{text}{F}")
    assert found.reason == ("reveals_bug" if reveals else "")
    assert found.source


@pytest.mark.parametrize("text", [f"{F}\n{BUG[:60]}", BUG[:60], "", f"{F}\nx = 1\n{F}\n{F}\n{BUG[:60]}"])
def test_an_answer_that_was_cut_off_counts_for_nothing_even_if_it_parses(text: str) -> None:
    entity = PYTHON.entities("m.py", SOURCE)[0]
    found = read(text, PYTHON, SOURCE, entity, same_call=True, cut=True)
    assert (found.source, found.reason, found.detail) == ("", "syntax_error", "the answer was cut off")
    whole = f"{F}\n{BUG}{F}\nExplanation: the lower bo"
    assert read(whole, PYTHON, SOURCE, entity, same_call=True, cut=True).reason == ""


def test_comments_that_were_there_reveal_nothing() -> None:
    source = SOURCE.replace("    if value > high:", "    # this bug was fixed in 2019\n    if value > high:")
    entity = PYTHON.entities("m.py", source)[0]
    text = source.removesuffix("\n\nother = 1\n").replace("value < low", "value <= low + 1")
    assert read(text, PYTHON, source, entity, same_call=True).reason == ""


@pytest.mark.parametrize(
    ("text", "explanation"),
    [
        (f"{F}\n{BUG}{F}\nExplanation: the lower bound\nis compared.\n\nBye.", "the lower bound is compared."),
        (f"{F}\n{BUG}{F}\n**Explanation:** **bold** words", "bold** words"),
        (f"{F}\n{BUG}{F}\n### Explanation:\n\nBelow it.", "Below it."),
        (f"{BUG}\nExplanation: unfenced", "unfenced"),
        (f"{F}\n{BUG}{F}\nI changed the bound.", ""),
        (f"{F}\n{BUG}{F}\nExplanation: \ud800\0\x1b[1m", "⟨U+D800⟩⟨NUL⟩⟨ESC⟩[1m"),
        (f"{F}\n{BUG}{F}\nExplanation:", ""),
    ],
)
def test_what_a_model_says_it_did(text: str, explanation: str) -> None:
    found = answer(text)
    assert (found.reason, found.explanation) == ("", explanation)


def test_an_explanation_is_bounded() -> None:
    assert len(taken_apart("Explanation: " + "long " * 10_000).explanation) <= 500
