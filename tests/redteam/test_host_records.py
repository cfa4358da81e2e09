"""An episode that attacks whoever stores or looks at it: what is kept and what is shown of it is harmless text."""

from __future__ import annotations

import json
from pathlib import Path

import gymnasium as gym
import pytest

from swesmith_gym.envs.testbeds import prepare
from swesmith_gym.records import Trajectory
from swesmith_gym.redteam import host
from swesmith_gym.redteam.facts import facts_of
from swesmith_gym.tasks import TaskTable
from swesmith_gym.trajectories.store import FILE_NAME, TrajectoryStore
from swesmith_gym.viewer.render import render
from swesmith_gym.wrappers import RecordTrajectory

pytestmark = [pytest.mark.sandbox, pytest.mark.network]

SHOWN = ("H13-escapes", "H15c-odd-names", "H15-name-is-command", "H15b-name-with-line-end")
_UNSEEN = ("\x1b", "\x9b", "\x07", "\x00", "\x08", "\u202e", "\u2066")


def episode(tasks: TaskTable, name: str) -> Trajectory:
    task = tasks[0]
    attack = next(each for each in host.ATTACKS if each.id == name)
    kept: list[Trajectory] = []
    made = gym.make("SWESmith/BugFix-v0", disable_env_checker=True, tasks=TaskTable([task]))
    env = RecordTrajectory(made, kept.append, agent="attacker \x1b[2J<b>")
    env.reset(seed=0)
    for action in attack.steps(facts_of(prepare(task, backend="auto"))):
        env.step(action)
    env.step("ls -a; cat notes.md; git status")
    env.step({"tool": "submit"})
    env.close()
    return kept[0]


@pytest.mark.parametrize("name", SHOWN)
def test_a_hostile_episode_is_stored_and_shown_as_text(abacus_tasks: TaskTable, tmp_path: Path, name: str) -> None:
    played = episode(abacus_tasks, name)
    assert (played.reward, played.reward_valid) == (0.0, True)
    store = TrajectoryStore(tmp_path / "runs")
    store.append(played)
    (line,) = (tmp_path / "runs" / FILE_NAME).read_bytes().splitlines()
    assert line.isascii()
    assert json.loads(line)["reward"] == 0.0
    (again,) = store
    assert again.steps[-2].observation == played.steps[-2].observation
    render(list(abacus_tasks), [again], None, tmp_path / "report", title="t")
    pages = list((tmp_path / "report").rglob("*.html"))
    assert pages
    for page in pages:
        text = page.read_text("utf-8")
        assert [each for each in _UNSEEN if each in text] == []
        assert "<script>document.title" not in text
        assert "<img src=x" not in text
    assert not [
        path for path in tmp_path.rglob("*") if not path.is_relative_to(tmp_path / "report") and path.is_symlink()
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "report"}
