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
from swesmith_gym.trajectories.rollout import counts, played_out

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


def test_an_odd_action_is_kept_as_it_prints(tmp_path: Path) -> None:
    store = TrajectoryStore(tmp_path)
    odd = Step({("a", 1): {1, 2}.__class__, "n": 1j}, "no", 0.0, False, False, {})
    store.append(replace(TRAJECTORY, steps=(odd,)))
    (kept,) = store
    assert kept.steps[0].action == {"('a', 1)": "<class 'set'>", "n": "1j"}


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
        replace(TRAJECTORY, resolved=False, reward_valid=False, info={"agent_error": "ValueError: no"}),
    ]
    ways = ("resolved", "unresolved", "violation", "agent_error", "fault")
    assert counts(ends) == {**dict.fromkeys(ways, 1), "total": 5}
    assert [played_out(end) for end in ends] == [True, True, True, False, False]


def test_an_episode_that_is_played_again_supersedes_the_one_before(tmp_path: Path) -> None:
    store = TrajectoryStore(tmp_path)
    for name, seed, agent in (("a", 0, "gold"), ("b", 1, "gold"), ("c", 0, "nop"), ("d", 0, "gold")):
        store.append(replace(TRAJECTORY, trajectory_id=name, seed=seed, agent=agent))
    assert {t.trajectory_id for t in store.latest()} == {"b", "c", "d"}


def test_settings_of_what_is_kept_are_held(tmp_path: Path) -> None:
    store = TrajectoryStore(tmp_path)
    store.bind("gold", {"max_steps": 50, "sandbox": "bubblewrap"}, fresh=True)
    store.bind("nop", {"max_steps": 5, "sandbox": "bubblewrap"}, fresh=True)
    store.bind("gold", {"max_steps": 50, "sandbox": "bubblewrap"}, fresh=False)
    with pytest.raises(InputError, match=r"other settings \(max_steps 50\)"):
        store.bind("gold", {"max_steps": 9, "sandbox": "bubblewrap"}, fresh=False)
    store.bind("gold", {"max_steps": 9, "sandbox": "bubblewrap"}, fresh=True)
    store.bind("gold", {"max_steps": 9, "sandbox": "bubblewrap"}, fresh=False)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nobody", "unknown agent"),
        ("json:nothing", "cannot be imported"),
        ("json:loads", "no method run"),
        (":Agent", "cannot be imported: ValueError"),
        (".x:Agent", "cannot be imported: TypeError"),
        ("torn_agent:Agent", "cannot be imported: SyntaxError: .*torn_agent.py, line 1"),
        ("raising_agent:Agent", "cannot be imported: ZeroDivisionError"),
        ("leaving_agent:Agent", "cannot be imported: SystemExit"),
        ("wanting_agent:Agent", "cannot be made without arguments: .*'model'"),
    ],
)
def test_agents_that_cannot_be_made(name: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torn_agent.py").write_text("class Agent(:\n")
    (tmp_path / "raising_agent.py").write_text("1 / 0\n")
    (tmp_path / "leaving_agent.py").write_text("raise SystemExit(0)\n")
    (tmp_path / "wanting_agent.py").write_text(
        "class Agent:\n    def __init__(self, model): pass\n    def run(self, session): pass\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InputError, match=says) as caught:
        factory(name)
    assert "\n" not in str(caught.value)


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


class Breaking:
    def __init__(self, seed: int) -> None:
        self.seed = seed

    def run(self, session: Session) -> None:
        if self.seed == 1:
            session.step("echo 'one step'")
        if self.seed < 2:
            raise ValueError("no model")
        raise SystemExit(3) if self.seed == 2 else KeyError("x")


@pytest.mark.sandbox
@pytest.mark.network
def test_an_agent_that_raises_ends_its_own_episode_only(abacus_tasks: TaskTable) -> None:
    settings = RolloutSettings("breaking", episodes_per_task=3)
    played = rollout(TaskTable(abacus_tasks[:1]), lambda task, seed: Breaking(seed), LocalExecutor(1), settings)
    first, second, third = sorted(played, key=lambda t: t.seed)
    assert (first.info["agent_error"], first.steps, first.reward_valid) == ("ValueError: no model", (), False)
    assert first.instance_id == abacus_tasks[0].instance_id
    assert [step.action for step in second.steps] == ["echo 'one step'"]
    assert (second.info["agent_error"], second.reward_valid) == ("ValueError: no model", False)
    assert third.info["agent_error"] == "SystemExit: 3"


@pytest.mark.sandbox
@pytest.mark.network
def test_a_sandbox_that_dies_at_the_start_is_a_fault_of_that_episode(
    abacus_tasks: TaskTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    from swesmith_gym.envs.bugfix import BugFixEnv
    from swesmith_gym.errors import SandboxDied

    def die(*_: object, **__: object) -> None:
        raise SandboxDied("gone")

    monkeypatch.setattr(BugFixEnv, "reset", die)
    tasks = TaskTable(abacus_tasks[:1])
    (episode,) = rollout(tasks, lambda task, seed: Forgetful(), LocalExecutor(1), RolloutSettings("f"))
    assert (episode.info["fault"], episode.reward_valid) == ("gone", False)
