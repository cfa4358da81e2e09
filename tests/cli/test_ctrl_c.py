"""What a command says when it was stopped: that it can go on only where it can."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import sys
from swesmith_gym.cli import main
def stopped(*_, **__): raise KeyboardInterrupt
main.app = stopped
main.main()
"""


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["bugs", "validate", "c.jsonl"], "stopped; the same command goes on from here"),
        (["evaluate", "--tasks", "t"], "stopped; the same command goes on from here"),
        (["run", "c.toml"], "stopped; the same command goes on from here"),
        (["rollout", "--tasks", "t"], "stopped; the same command with --resume goes on from here"),
        (["repos", "build", "h11"], "stopped; the same command begins again"),
        (["tasks", "verify", "t"], "stopped"),
        (["tasks", "redteam", "t"], "stopped; the same command with --out goes on from here"),
        (["issues", "write", "t"], "stopped; the same command goes on from here"),
        (["bugs", "generate"], "stopped; no answer of a model is paid for twice, the rest is made again"),
        ([], "stopped"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_after_ctrl_c(command: list[str], says: str) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, *command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, f"swesmith-gym: {says}\n")
