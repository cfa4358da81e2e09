"""The examples run as they stand, as a reader would start them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = [pytest.mark.sandbox, pytest.mark.network]


def output_of(name: str) -> str:
    command = [sys.executable, str(ROOT / "examples" / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_play_one_task(home: Path) -> None:
    assert "reward 1.0:" in output_of("play_one_task.py")


def test_write_agent(home: Path) -> None:
    assert "reward: 0.0" in output_of("write_agent.py")
