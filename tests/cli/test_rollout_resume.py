"""`rollout`: an agent with an error in it, and a resume that plays again what broke off."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from swesmith_gym.trajectories import TrajectoryStore

pytestmark = [pytest.mark.sandbox, pytest.mark.network]
AGENT = """
from pathlib import Path

class Mine:
    def run(self, session):
        if not Path("repaired").exists():
            raise ValueError("no model")
        session.submit()
"""


def test_what_broke_off_is_played_again(abacus_table: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(AGENT)

    def play(*more: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "swesmith_gym",
            "rollout",
            "--tasks",
            str(abacus_table),
            "--agent",
            "mine:Mine",
        ]
        command += ["--out", "o", "--limit", "1", *more]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    done = play()
    assert done.returncode == 1
    assert "0 of 1 episodes resolved, 1 agent_error" in done.stderr
    assert "ValueError: no model" in done.stderr
    (tmp_path / "repaired").touch()
    other = play("--resume", "--max-steps", "7")
    assert (other.returncode, "other settings (max_steps 50)" in other.stderr) == (2, True)
    again = play("--resume", "--json")
    found = json.loads(again.stdout)
    assert (again.returncode, found["unresolved"], found["agent_error"], found["total"]) == (0, 1, 0, 1)
    assert len(list(TrajectoryStore(tmp_path / "o"))) == 2
    (last,) = TrajectoryStore(tmp_path / "o").latest()
    assert last.reward_valid
