"""What an issue may tell: gathered from a task's failure text and its tests, never from its patches."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from swesmith_gym.languages.base import FailureSummary, Files, Language
from swesmith_gym.records import TaskInstance

ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}\b|(?<=\.\.\.)[0-9a-f]{5,}\b")
TEMPORARY = re.compile(r"/tmp/[\w./-]+")
MAX_MESSAGE_LINES = 18
MAX_MESSAGE_CHARS = 1200
MAX_VALUE_CHARS = 300
MAX_AREAS = 3


@dataclass(frozen=True, slots=True)
class Facts:
    """One task's failure in the words of its tests."""

    repo: str
    exception: str
    """Type of the error; empty where it is not known."""
    assertion: bool
    """A comparison did not hold, as against a crash."""
    not_raised: bool
    """An error was wanted and did not come."""
    message: str
    """The error's message, shortened, without addresses and temporary folders."""
    expected: str
    actual: str
    area: str
    """What the failing test's file is about, in plain words."""
    topic: str
    """What the failing test is about, in plain words."""
    other_areas: tuple[str, ...]
    """Areas of the other failing tests."""
    failures: int
    """Number of failing tests."""
    code: str
    """Reproduction; empty where there is none."""


def gather(task: TaskInstance, test_files: Files, language: Language, rng: random.Random, *, code: bool) -> Facts:
    """Facts of a task. `code`: look for a reproduction too, in `test_files` (the pristine tree's)."""
    summary = language.failure_summary(task.failure_excerpt)
    test_id = summary.test_id if summary.test_id in task.FAIL_TO_PASS else _choose(task, rng)
    area, topic = language.test_topic(test_id)
    text = _reproduction(task, test_files, language, summary, test_id) if code else ""
    areas = sorted({language.test_topic(other)[0] for other in task.FAIL_TO_PASS} - {area, ""})
    return Facts(
        repo=task.repo,
        exception=summary.exception,
        assertion=summary.exception in ("AssertionError", ""),
        not_raised=summary.actual == "nothing is raised",
        message=_clean(summary.message),
        expected=_value(summary.expected),
        actual=_value(summary.actual),
        area=area,
        topic=topic,
        other_areas=tuple(areas[:MAX_AREAS]),
        failures=len(task.FAIL_TO_PASS),
        code=scrubbed(text),
    )


def _choose(task: TaskInstance, rng: random.Random) -> str:
    return rng.choice(sorted(task.FAIL_TO_PASS)) if task.FAIL_TO_PASS else ""


def _reproduction(
    task: TaskInstance, test_files: Files, language: Language, summary: FailureSummary, test_id: str
) -> str:
    """Of the test that the failure text is about; else of the first one that has a source."""
    if summary.test_id == test_id:
        found = language.reproduction(test_files, summary)
        if found:
            return found
    for other in (test_id, *task.FAIL_TO_PASS[:20]):
        found = language.reproduction(test_files, FailureSummary(test_id=other))
        if found:
            return found
    return ""


def scrubbed(text: str) -> str:
    """Without addresses of memory and temporary folders, which differ from run to run."""
    return TEMPORARY.sub("/tmp/...", ADDRESS.sub("...", text))


def _value(text: str) -> str:
    text = " ".join(scrubbed(text).split())
    return text if len(text) <= MAX_VALUE_CHARS else f"{text[:MAX_VALUE_CHARS]}..."


def _clean(text: str) -> str:
    lines = [line.rstrip() for line in scrubbed(text).splitlines()]
    lines = [line for line in lines if line.strip()]
    shown = "\n".join(lines[:MAX_MESSAGE_LINES])
    cut = len(lines) > MAX_MESSAGE_LINES or len(shown) > MAX_MESSAGE_CHARS
    return shown[:MAX_MESSAGE_CHARS].rstrip() + ("\n..." if cut else "")
