"""Does a text give the fix away? Compared as runs of tokens with the lines that the fix adds and removes."""

from __future__ import annotations

import re

TOKEN = re.compile(r"\w+|[^\w\s]")
SPAN = 6
"""Tokens in a row that count as telling."""


def leaks(statement: str, gold_patch: str) -> list[str]:
    """Spans of SPAN tokens of the patch's changed lines that occur in the statement, each once, in order."""
    wanted = _spans(gold_patch)
    found = [" ".join(span) for span in _windows(TOKEN.findall(statement)) if span in wanted]
    return list(dict.fromkeys(found))


def without_leaks(statement: str, gold_patch: str) -> str:
    """The statement less the lines that bring such a span in."""
    wanted = _spans(gold_patch)
    lines = statement.splitlines()
    tokens = [(token, number) for number, line in enumerate(lines) for token in TOKEN.findall(line)]
    telling: set[int] = set()
    for start in range(len(tokens) - SPAN + 1):
        window = tokens[start : start + SPAN]
        if tuple(token for token, _ in window) in wanted:
            telling.add(max({number for _, number in window}, key=[n for _, n in window].count))
    if not telling:
        return statement
    left = "\n".join(line for number, line in enumerate(lines) if number not in telling) + "\n"
    return without_leaks(left, gold_patch)


def _windows(tokens: list[str]) -> list[tuple[str, ...]]:
    return [tuple(tokens[start : start + SPAN]) for start in range(len(tokens) - SPAN + 1)]


def _spans(patch: str) -> frozenset[tuple[str, ...]]:
    """All windows over runs of added or removed lines; headers aside."""
    spans: set[tuple[str, ...]] = set()
    run: list[str] = []
    kind = ""
    for line in [*patch.splitlines(), ""]:
        sign = line[:1] if line[:1] in ("+", "-") and not line.startswith(("+++ ", "--- ")) else ""
        if sign != kind:
            spans.update(_windows(run))
            run, kind = [], sign
        if sign:
            run.extend(TOKEN.findall(line[1:]))
    return frozenset(spans)
