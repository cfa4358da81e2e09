"""How episodes begin and end: what is rendered, what infos hold, time that is used up, hosts that fail for a while."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from swesmith_gym.envs import actions, bugfix
from swesmith_gym.envs.bugfix import BugFixEnv
from swesmith_gym.errors import InputError, SandboxDied
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.tasks import TaskTable

pytestmark = [pytest.mark.sandbox, pytest.mark.network]


class Flaky:
    """A backend whose first sandboxes do not start."""

    def __init__(self, backend: Any, failures: int) -> None:
        self._backend, self.failures = backend, failures

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def start(self, spec: Any) -> Any:
        if self.failures > 0:
            self.failures -= 1
            raise SandboxDied("it ended while it started")
        return self._backend.start(spec)


@pytest.fixture
def flaky(abacus: Testbed, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Flaky]:
    prepare = bugfix.prepare

    def install(failures: int) -> Flaky:
        host = Flaky(abacus.backend, failures)

        def prepared(*args: Any, **kwargs: Any) -> Any:
            ready = prepare(*args, **kwargs)
            return replace(ready, testbed=replace(ready.testbed, backend=host))  # type: ignore[arg-type]

        monkeypatch.setattr(bugfix, "prepare", prepared)
        return host

    return install


@pytest.mark.parametrize("grade", [True, False])
def test_render_shows_the_end_at_a_limit(abacus_table: Path, grade: bool) -> None:
    env = BugFixEnv(abacus_table, max_steps=1, grade_on_truncation=grade, render_mode="ansi")
    env.reset(seed=0)
    assert env.step("echo last")[0] == env.render() == "last\n"
    env.close()


def test_render_shows_the_end_of_a_sandbox(
    abacus_table: Path, monkeypatch: pytest.MonkeyPatch, flaky: Callable[[int], Flaky]
) -> None:
    host = flaky(0)
    for control_works in (True, False):
        env = BugFixEnv(abacus_table, render_mode="ansi")
        env.reset(seed=0)

        def die(*args: Any, **kwargs: Any) -> Any:
            raise SandboxDied("gone")

        assert env._tools is not None
        monkeypatch.setattr(env._tools, "run", die)
        host.failures = 0 if control_works else 1
        observation, reward, terminated, truncated, info = env.step("ls")
        assert observation == env.render() == "The sandbox has ended."
        assert (reward, terminated, truncated, info["step"]) == (0.0, False, True, 1)
        assert ("violation" if control_works else "fault") in info
        assert info["reward_valid"] is control_works
        env.close()


def test_equal_episodes_give_equal_infos(abacus_table: Path) -> None:
    env = BugFixEnv(abacus_table)
    ends = []
    for _ in range(2):
        env.reset(seed=0)
        ends.append(env.step({"tool": "submit"}))
    assert ends[0] == ends[1]
    assert ends[0][4]["verdict"].duration_s == 0.0
    env.close()


def test_each_episode_has_its_own_schemas(abacus_table: Path) -> None:
    before = copy.deepcopy(actions.TOOLS)
    env = BugFixEnv(abacus_table)
    _, info = env.reset(seed=0)
    info["tools"][0]["function"]["name"] = "changed"
    assert before == actions.TOOLS
    assert env.reset(seed=0)[1]["tools"] == list(before)
    env.close()


def test_nothing_runs_once_time_is_used_up(abacus_table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = BugFixEnv(abacus_table, max_seconds=100.0, grade_on_truncation=False, render_mode="ansi")
    env.reset(seed=0)
    assert env.step("true")[3] is False
    env._started -= 101.0
    assert env._tools is not None
    ran: list[Any] = []
    monkeypatch.setattr(env._tools, "run", lambda *args, **kwargs: ran.append(args))
    observation, reward, terminated, truncated, _ = env.step("touch /tmp/late")
    assert (reward, terminated, truncated, ran) == (0.0, False, True, [])
    assert "100 s of this episode are over" in observation
    assert env.render() == observation
    env.close()


@pytest.mark.parametrize(
    "limit",
    [
        {"max_steps": 0},
        {"max_steps": -1},
        {"max_seconds": 0},
        {"max_seconds": float("nan")},
        {"max_output_bytes": 0},
        {"max_observation_chars": 0},
        {"command_timeout_s": -1},
    ],
)
def test_limits_are_more_than_nothing(abacus_table: Path, limit: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(limit))):
        BugFixEnv(abacus_table, **limit)


def test_a_start_that_fails_is_tried_again(abacus_table: Path, flaky: Callable[[int], Flaky]) -> None:
    env = BugFixEnv(abacus_table)
    flaky(2)
    env.reset(seed=0)
    assert env.step("echo alive")[0] == "alive\n"
    host = flaky(3)
    with pytest.raises(SandboxDied):
        env.reset(seed=0)
    with pytest.raises(InputError, match="reset first"):
        env.step("ls")
    assert host.failures == 0
    env.reset(seed=0)
    env.close()


def test_a_preparation_that_fails_is_tried_again(abacus_table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare, calls = bugfix.prepare, []

    def fails_once(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        if len(calls) == 1:
            raise SandboxDied("while the tree was committed")
        return prepare(*args, **kwargs)

    monkeypatch.setattr(bugfix, "prepare", fails_once)
    env = BugFixEnv(abacus_table)
    env.reset(seed=0)
    assert len(calls) == 2
    env.close()


def test_what_an_agent_reads_can_be_encoded(abacus_tasks: TaskTable) -> None:
    env = BugFixEnv(TaskTable([replace(abacus_tasks[0], problem_statement="odd \udce9")]))
    observation, info = env.reset(seed=0)
    assert "odd \ufffd" in observation
    assert info["problem_statement"] == "odd \ufffd"
    env.close()
