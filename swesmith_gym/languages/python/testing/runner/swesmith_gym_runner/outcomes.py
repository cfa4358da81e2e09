"""One outcome per test out of the reports of its set-up, call and tear-down."""

from __future__ import annotations

from typing import Any

MESSAGE_CHARS = 2000
"""Longest failure text that is reported."""
HEAD_CHARS = 600
"""Of a longer text, what is kept of its crash message in front of the end."""


class Phases:
    """What is known of a test that is running."""

    def __init__(self) -> None:
        self._worst: dict[str, str] = {}
        self.text = ""

    def add(self, report: Any) -> None:
        """Take in one phase's report. A new set-up starts over: the test is being run again."""
        if report.when == "setup" and not hasattr(report, "context"):
            self._worst.clear()
            self.text = ""
        outcome = _phase_outcome(report)
        if outcome is None:
            return
        if self._worst.get(report.when) != "failed":
            self._worst[report.when] = outcome
        if outcome == "failed":
            self.text = "\n".join(part for part in (self.text, failure_text(report)) if part)

    @property
    def outcome(self) -> str:
        """The test's outcome, or empty where nothing was reported."""
        setup, call, teardown = (self._worst.get(when, "") for when in ("setup", "call", "teardown"))
        if call == "failed":
            return "failed"
        if "failed" in (setup, teardown):
            return "error"
        for outcome in ("xfailed", "skipped"):
            if outcome in (setup, call, teardown):
                return outcome
        return call or ("error" if setup else "")


def _phase_outcome(report: Any) -> str | None:
    if report.outcome not in ("passed", "failed", "skipped"):
        return None
    if hasattr(report, "context") and report.outcome != "failed":
        return None  # a part of a test that did not fail says nothing about the whole
    if report.outcome != "failed" and hasattr(report, "wasxfail"):
        return "xfailed" if report.outcome == "skipped" else "xpassed"
    return str(report.outcome)


def failure_text(report: Any) -> str:
    """The end of a report's failure text; of a long one, the crash message's head too."""
    text = str(getattr(report, "longreprtext", "") or report.longrepr or "")
    crash = getattr(getattr(report.longrepr, "reprcrash", None), "message", "")
    return capped(text, crash)


def capped(text: str, crash: str = "") -> str:
    """At most MESSAGE_CHARS of `text`: its end, after the head of `crash` where that would be lost."""
    if len(text) <= MESSAGE_CHARS:
        return text
    head = "\n".join(f"E   {line}" for line in crash[:HEAD_CHARS].splitlines())
    return f"{head}\n[...]\n{text[-(MESSAGE_CHARS - len(head)) :]}" if head else f"[...]\n{text[-MESSAGE_CHARS:]}"
