"""The environment on a real package: Gymnasium's contract, the shell, the tools, the reward, the three outcomes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.utils.env_checker import check_env

import swesmith_gym
from swesmith_gym.envs.bugfix import BugFixEnv
from swesmith_gym.errors import GradingFault, InputError, SandboxDied, SandboxUnavailable, TaskNotFound
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.tasks import TaskTable

pytestmark = [pytest.mark.sandbox, pytest.mark.network]


@pytest.fixture
def env(abacus_table: Path) -> Iterator[BugFixEnv]:
    made = gym.make("SWESmith/BugFix-v0", tasks=str(abacus_table), disable_env_checker=True)
    yield made.unwrapped  # type: ignore[misc]
    made.close()


def solve(env: BugFixEnv) -> None:
    env.step({"tool": "create", "path": "/tmp/gold", "file_text": env.task.gold_patch})
    assert "Error" not in env.step("cd /testbed && git apply /tmp/gold && echo applied")[0]


def test_gymnasium_accepts_it(env: BugFixEnv) -> None:
    check_env(env)


def test_the_seed_chooses_the_task_and_the_text(env: BugFixEnv) -> None:
    first, info = env.reset(seed=3)
    assert env.reset(seed=3) == (first, info)
    assert {env.reset(seed=seed)[1]["instance_id"] for seed in range(20)} == set(env.tasks.places)


def test_a_task_can_be_asked_for(env: BugFixEnv) -> None:
    for task in env.tasks:
        _, info = env.reset(options={"instance_id": task.instance_id})
        assert info["instance_id"] == task.instance_id
    with pytest.raises(TaskNotFound):
        env.reset(options={"instance_id": "nothing"})


def test_reset_says_what_an_agent_needs(env: BugFixEnv) -> None:
    observation, info = env.reset(seed=0)
    assert env.task.problem_statement.strip() in observation
    assert set(info) == {"instance_id", "repo", "language", "problem_statement", "workdir", "tools"}


def test_the_shell_keeps_its_state(env: BugFixEnv) -> None:
    env.reset(seed=0)
    env.step("cd /tmp && export NAME=kept && f() { echo called; }")
    assert env.step('echo "$NAME $PWD"; f')[0] == "kept /tmp\ncalled\n"


def test_gold_is_worth_one_and_nop_nothing(env: BugFixEnv) -> None:
    for task in env.tasks:
        env.reset(options={"instance_id": task.instance_id})
        _, reward, terminated, truncated, info = env.step({"tool": "submit"})
        assert (reward, terminated, truncated, info["reward_valid"]) == (0.0, True, False, True)
        assert info["verdict"].f2p_failure == task.FAIL_TO_PASS
        env.reset(options={"instance_id": task.instance_id})
        solve(env)
        _, reward, terminated, truncated, info = env.step({"tool": "submit"})
        assert (reward, terminated, truncated) == (1.0, True, False)
        assert info["verdict"].f2p_success == task.FAIL_TO_PASS
        assert info["model_patch"] == task.gold_patch


def test_the_agent_sees_one_commit_and_no_hidden_test(env: BugFixEnv) -> None:
    env.reset(seed=0)
    assert env.step("git -C /testbed rev-list --all --count")[0] == "1\n"
    assert (
        env.step("git -C /testbed status --porcelain; git -C /testbed remote; git -C /testbed reflog")[0]
        == "[no output]"
    )
    for test in env.task.FAIL_TO_PASS:
        name = test.split("::")[-1].split("[")[0]
        assert "exit code 1" in env.step(f"grep -rn 'def {name}\\b' /testbed")[0]
    assert env.step("find /testbed -not -path '*/.git*' -type f -printf '%T@\\n' | sort -u | wc -l")[0] == "1\n"
    assert env.step("find / -name '*.pyc' -path '*testbed*' 2>/dev/null | wc -l")[0] == "0\n"


def test_edits_of_tests_and_configuration_do_not_count(env: BugFixEnv) -> None:
    env.reset(seed=0)
    env.step(
        "cd /testbed && rm -rf tests && printf 'import pytest\\npytest.skip(allow_module_level=True)' > conftest.py"
    )
    env.step(
        "printf '[pytest]\\naddopts = --co\\n' > pytest.ini; git add -A; git -c user.name=a -c user.email=b commit -qm."
    )
    _, reward, _, _, info = env.step({"tool": "submit"})
    assert reward == 0.0
    assert info["verdict"].f2p_failure == env.task.FAIL_TO_PASS


def test_a_solution_with_new_files_and_a_commit_counts(env: BugFixEnv) -> None:
    env.reset(seed=0)
    solve(env)
    env.step(
        "cd /testbed && mkdir -p src/abacus/extra notes && touch src/abacus/extra/__init__.py && echo hi > notes/n.txt"
    )
    env.step("git add -A && git -c user.name=a -c user.email=b commit -qm fix && echo more > tests/test_more.py")
    assert env.step({"tool": "submit"})[1] == 1.0


@pytest.mark.parametrize(
    ("action", "says"),
    [
        (7, "not int"),
        (None, "not NoneType"),
        ({"command": "ls"}, "There is no tool None"),
        ({"tool": "fly"}, "There is no tool 'fly'"),
        ({"tool": "bash"}, "needs the argument 'command'"),
        ({"tool": "bash", "command": 3}, "must be of type string"),
        ({"tool": "view", "path": "x", "speed": 1}, "takes no argument 'speed'"),
        ({"tool": "view", "path": "x", "view_range": [1]}, "must be of type array"),
        ("echo a\0b", "NUL"),
    ],
)
def test_malformed_actions_are_answered(env: BugFixEnv, action: Any, says: str) -> None:
    env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step(action)
    assert says in observation
    assert (reward, terminated, truncated, info["step"]) == (0.0, False, False, 1)


def test_edit_tools(env: BugFixEnv) -> None:
    env.reset(seed=0)

    def call(tool: str, **arguments: Any) -> str:
        return env.step({"tool": tool, **arguments})[0]

    assert "written" in call("create", path="new/é.txt", file_text="one\ntwo\ntwo\n")
    assert call("view", path="new/é.txt", view_range=[2, -1]).startswith("     2\ttwo")
    assert "occurs 2 times" in call("str_replace", path="new/é.txt", old_str="two", new_str="2")
    assert "does not occur" in call("str_replace", path="new/é.txt", old_str="three")
    assert "edited" in call("str_replace", path="new/é.txt", old_str="one\n", new_str="1\n")
    assert "edited" in call("insert", path="/testbed/new/é.txt", insert_line=1, new_str="1.5")
    assert env.step("cat new/é.txt")[0] == "1\n1.5\ntwo\ntwo\n"
    for _ in range(2):
        assert "taken back" in call("undo_edit", path="new/é.txt")
    assert env.step("cat new/é.txt")[0] == "one\ntwo\ntwo\n"
    assert "taken back" in call("undo_edit", path="new/é.txt")
    assert "There is no file" in call("view", path="new/é.txt")
    assert "no edit" in call("undo_edit", path="new/é.txt")
    assert "src/abacus" in call("view", path="/testbed")
    assert "folder" in call("str_replace", path="src", old_str="a")
    assert "insert_line" in call("insert", path="README.md", insert_line=99, new_str="x")


def test_an_edit_of_a_link_edits_what_it_leads_to(env: BugFixEnv) -> None:
    env.reset(seed=0)
    env.step("echo old > real.txt; mkdir -p sub; ln -s ../real.txt sub/l; ln -s sub/l l2; ln -s loop loop")
    assert "edited" in env.step({"tool": "str_replace", "path": "l2", "old_str": "old", "new_str": "new"})[0]
    assert env.step("cat real.txt; readlink l2 sub/l")[0] == "new\nsub/l\n../real.txt\n"
    assert "taken back" in env.step({"tool": "undo_edit", "path": "l2"})[0]
    assert env.step("cat real.txt")[0] == "old\n"
    assert "link" in env.step({"tool": "create", "path": "loop", "file_text": "x"})[0].lower()


def test_an_edit_keeps_the_mode(env: BugFixEnv) -> None:
    env.reset(seed=0)
    env.step("printf '#!/bin/sh\\necho old\\n' > run.sh && chmod +x run.sh")
    env.step({"tool": "str_replace", "path": "run.sh", "old_str": "old", "new_str": "new"})
    assert env.step("./run.sh")[0] == "new\n"


def test_a_long_output_keeps_head_and_tail(abacus_table: Path) -> None:
    env = BugFixEnv(abacus_table, max_observation_chars=1000)
    env.reset(seed=0)
    observation, *_, info = env.step("seq 100000")
    assert observation.startswith("1\n2\n")
    assert observation.endswith("99999\n100000\n")
    assert info["output_truncated"] is True
    env.close()


def test_a_slow_command_is_ended_and_the_next_works(abacus_table: Path) -> None:
    env = BugFixEnv(abacus_table, command_timeout_s=0.5)
    env.reset(seed=0)
    observation, *_, info = env.step("sleep 100")
    assert info["timed_out"] is True
    assert "ended after" in observation
    assert env.step("echo alive")[0].endswith("alive\n")
    env.close()


@pytest.mark.parametrize("limit", [{"max_steps": 2}, {"max_output_bytes": 10}])
def test_limits_truncate_and_the_work_is_graded(abacus_table: Path, limit: dict[str, int]) -> None:
    env = BugFixEnv(abacus_table, **limit)  # type: ignore[arg-type]
    env.reset(seed=0)
    if "max_steps" in limit:
        env.step("true")
    _, reward, terminated, truncated, info = env.step("seq 100")
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert not info["verdict"].resolved
    with pytest.raises(InputError, match="call reset first"):
        env.step("ls")
    env.close()


def test_grading_at_a_limit_can_be_turned_off(abacus_table: Path) -> None:
    env = BugFixEnv(abacus_table, max_steps=1, grade_on_truncation=False)
    env.reset(seed=0)
    *_, truncated, info = env.step("ls")
    assert truncated
    assert "verdict" not in info
    env.close()


def test_a_link_that_leads_out_is_a_violation_whatever_the_reward(abacus_table: Path) -> None:
    env = BugFixEnv(abacus_table, reward=lambda verdict: 5.0)
    env.reset(seed=0)
    env.step("ln -s /etc/passwd src/abacus/data")
    _, reward, terminated, _, info = env.step({"tool": "submit"})
    assert (reward, terminated, info["reward_valid"]) == (0.0, True, True)
    assert "link" in info["violation"]
    env.close()


class _Host:
    """A backend whose sandboxes die when graded, or that starts none at all."""

    def __init__(self, testbed: Testbed, error: Exception) -> None:
        self._backend, self._error = testbed.backend, error
        self.broken = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def start(self, spec: Any) -> Any:
        if self.broken:
            raise self._error
        return self._backend.start(spec)


@pytest.mark.parametrize("error", [SandboxDied("gone"), SandboxUnavailable("no namespaces"), OSError(28, "full")])
def test_a_host_that_fails_is_a_fault_and_no_reward(
    abacus_table: Path, abacus: Testbed, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    from dataclasses import replace

    from swesmith_gym.envs import bugfix

    host = _Host(abacus, error)
    prepare = bugfix.prepare

    def broken_host(*args: Any, **kwargs: Any) -> Any:
        ready = prepare(*args, **kwargs)
        return replace(ready, testbed=replace(ready.testbed, backend=host))  # type: ignore[arg-type]

    monkeypatch.setattr(bugfix, "prepare", broken_host)
    for on_fault in ("mask", "raise"):
        env = BugFixEnv(abacus_table, on_fault=on_fault)  # type: ignore[arg-type]
        host.broken = False
        env.reset(seed=0)
        host.broken = True
        if on_fault == "raise":
            with pytest.raises(GradingFault):
                env.step({"tool": "submit"})
        else:
            _, reward, terminated, truncated, info = env.step({"tool": "submit"})
            assert (reward, terminated, truncated, info["reward_valid"]) == (0.0, False, True, False)
            assert "fault" in info
            assert "verdict" not in info
        env.close()


def test_use_before_reset_and_after_close(env: BugFixEnv) -> None:
    with pytest.raises(InputError, match="reset first"):
        env.step("ls")
    env.close()
    env.close()
    with pytest.raises(InputError, match="closed"):
        env.step("ls")
    with pytest.raises(InputError, match="after close"):
        env.reset()


def test_bad_arguments_are_named(abacus_table: Path) -> None:
    with pytest.raises(InputError, match="hide_tests is 'all'"):
        BugFixEnv(abacus_table, hide_tests="all")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="empty"):
        BugFixEnv(TaskTable([]))


def test_each_task_has_an_id_of_its_own(abacus_table: Path) -> None:
    ids = swesmith_gym.register_tasks(abacus_table)
    env = gym.make(ids[1], disable_env_checker=True)
    assert f"SWESmith/{env.reset()[1]['instance_id']}-v0" == ids[1]
    assert env.spec is not None
    assert env.spec.to_json()
    env.close()


def test_render_gives_the_last_observation(abacus_table: Path) -> None:
    env = BugFixEnv(abacus_table, render_mode="ansi")
    assert env.reset(seed=0)[0] == env.render()
    assert env.step("echo here")[0] == env.render() == "here\n"
    env.close()


def test_a_vector_of_episodes(abacus_table: Path) -> None:
    envs = gym.make_vec("SWESmith/BugFix-v0", num_envs=3, tasks=str(abacus_table), max_steps=2)
    observations, info = envs.reset(seed=0)
    assert len(set(observations)) == len(set(info["instance_id"]))
    observations, rewards, terminated, truncated, _ = envs.step(["echo a", "echo b", {"tool": "submit"}])
    assert observations[:2] == ("a\n", "b\n")
    assert terminated.tolist() == [False, False, True]
    observations, rewards, terminated, truncated, info = envs.step(["echo c", "echo d", "ignored"])
    assert truncated.tolist() == [True, True, False]
    assert "<issue>" in observations[2]
    assert rewards.tolist() == [0.0, 0.0, 0.0]
    envs.close()
