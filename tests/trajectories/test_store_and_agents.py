"""Trajectories on disk survive a torn write; agents by name; an agent of one's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from samples import TASK

from swesmith_gym.agents import factory
from swesmith_gym.agents.base import Session
from swesmith_gym.errors import InputError
from swesmith_gym.executors import LocalExecutor
from swesmith_gym.records import Step, Trajectory, Verdict
from swesmith_gym.tasks import TaskTable
from swesmith_gym.trajectories import RolloutSettings, TrajectoryStore, rollout
from swesmith_gym.trajectories.rollout import counts

VERDICT = Verdict("demo__1", resolved=True, f2p_success=("a b",))
TRAJECTORY = Trajectory(
    trajectory_id="t1",
    instance_id="demo__1",
    agent="gold",
    seed=0,
    observation="é\x1b[31m\udc80",
    steps=(Step({"tool": "submit"}, "Submitted.", 1.0, True, False, {"verdict": VERDICT, "step": 1}),),
    reward=1.0,
    reward_valid=True,
    resolved=True,
    model_patch="--- a/x\r\n",
)


def test_round_trip_and_a_torn_line(tmp_path: Path) -> None:
    store = TrajectoryStore(tmp_path)
    store.append(TRAJECTORY)
    with store.path.open("a") as file:
        file.write('{"trajectory_id": "torn')
    assert len(list(store)) == 1
    store.append(replace(TRAJECTORY, trajectory_id="t2"))
    first, second = store
    assert (first.trajectory_id, second.trajectory_id) == ("t1", "t2")
    assert first.observation == TRAJECTORY.observation
    assert first.model_patch == TRAJECTORY.model_patch
    assert first.steps[0].info["verdict"]["f2p_success"] == ["a b"]


def test_a_line_that_is_none_is_named(tmp_path: Path) -> None:
    store = TrajectoryStore(tmp_path)
    store.append(TRAJECTORY)
    with store.path.open("a") as file:
        file.write('{"x": 1}\n')
    with pytest.raises(InputError, match="line 2: not a trajectory"):
        list(store)


def test_how_episodes_ended() -> None:
    ends = [
        TRAJECTORY,
        replace(TRAJECTORY, resolved=False),
        replace(TRAJECTORY, resolved=False, info={"violation": "link"}),
        replace(TRAJECTORY, resolved=False, reward_valid=False, info={"fault": "disk"}),
    ]
    assert counts(ends) == {"resolved": 1, "unresolved": 1, "violation": 1, "fault": 1, "total": 4}


@pytest.mark.parametrize(
    ("name", "says"),
    [("nobody", "unknown agent"), ("json:nothing", "cannot be imported"), ("json:loads", "no method run")],
)
def test_agents_that_cannot_be_made(name: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        factory(name)


def test_an_agent_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_agents.py").write_text("class Mine:\n    def run(self, session):\n        session.submit()\n")
    monkeypatch.chdir(tmp_path)
    assert type(factory("my_agents:Mine")(TASK, 0)).__name__ == "Mine"


class Forgetful:
    def run(self, session: Session) -> None:
        session.step("echo 'I forget to submit'")


@pytest.mark.sandbox
@pytest.mark.network
def test_an_agent_that_does_not_submit_is_submitted(abacus_tasks: TaskTable) -> None:
    tasks = TaskTable(abacus_tasks[:1])
    (episode,) = rollout(tasks, lambda task, seed: Forgetful(), LocalExecutor(1), RolloutSettings("forgetful"))
    assert [step.action for step in episode.steps] == ["echo 'I forget to submit'", {"tool": "submit"}]
    assert episode.reward_valid
    assert not episode.resolved
    assert (
        list(
            rollout(
                tasks,
                lambda task, seed: Forgetful(),
                LocalExecutor(1),
                RolloutSettings("f"),
                done={(tasks[0].instance_id, 0)},
            )
        )
        == []
    )
