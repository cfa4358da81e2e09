"""How a piece of Python is run as a program of its own: with what the tree and its environment hold, and no more."""

from __future__ import annotations

from swesmith_gym.languages.base import RunnerCommand
from swesmith_gym.languages.python.testing.report import FIXED_ENV
from swesmith_gym.records import TestSetup

COMMAND = 'PATH="/opt/env/bin:$PATH" exec /opt/env/bin/python -'


def command(setup: TestSetup, code: str) -> RunnerCommand:
    """See `Language.script`. The code comes by standard input, so that no file of it lies in the tree."""
    return RunnerCommand(COMMAND, {**FIXED_ENV, **setup.env}, code.encode("utf-8", "replace") + b"\n")
