"""Failure texts of tests, taken apart for issue writers."""

from __future__ import annotations

import io
import re
import tokenize

from swesmith_gym.languages.base import FailureSummary


def summary(message: str) -> FailureSummary:
    """See `Language.failure_summary`."""
    return FailureSummary()


def tokens(source: str) -> list[str]:
    """See `Language.text_tokens`."""
    skipped = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.ENCODING}
    try:
        found = [t.string for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type not in skipped]
    except (tokenize.TokenError, SyntaxError):
        found = re.findall(r"\w+|[^\w\s]", source)
    return found
