"""Vector environments when members fail: masked faults, fresh members, seeds, options, closing."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers.vector import DictInfoToList

from swesmith_gym.envs.spaces import Action, ActionSpace, Unicode
from swesmith_gym.envs.vector import ThreadVectorEnv
from swesmith_gym.errors import GradingFault, InputError, SandboxDied, SandboxUnavailable

ERRORS = {"died": SandboxDied("the sandbox is gone"), "grading": GradingFault("the host is gone")}


class Member(gym.Env[str, Action]):
    """Says what it was asked; an action that names an error raises it, and `end` ends the episode."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        self.number = type(self).made
        self.observation_space, self.action_space = Unicode(), ActionSpace()
        self.broken: Exception | None = None
        self.closed = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        if self.broken is not None:
            raise self.broken
        drawn = int(self.np_random.integers(1000))
        return f"{(options or {}).get('instance_id')}", {"drawn": drawn, "tools": [{"name": "bash"}]}

    def step(self, action: Action) -> tuple[str, float, bool, bool, dict[str, Any]]:
        if action in ERRORS:
            self.broken = ERRORS[str(action)]
            raise self.broken
        if action == "bad":
            raise InputError("bad")
        info: dict[str, Any] = {"exit_code": 3} if action == "fail" else {}
        return f"did {action}", 1.0, action == "end", False, info

    def close(self) -> None:
        self.closed = True
        if self.broken is not None and isinstance(self.broken, InputError):
            raise self.broken


@pytest.fixture
def members() -> ThreadVectorEnv:
    return ThreadVectorEnv([Member, Member, Member])


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_a_member_that_fails_is_masked_and_replaced(members: ThreadVectorEnv, name: str) -> None:
    _, infos = members.reset(seed=5)
    expected = Member()
    assert infos["drawn"][1] == expected.reset(seed=6)[1]["drawn"]
    broken = members.envs[1]
    observations, rewards, terminated, truncated, infos = members.step(["a", name, "fail"])
    assert observations == ("did a", str(ERRORS[name]), "did fail")
    assert rewards.tolist() == [1.0, 0.0, 1.0]
    assert terminated.tolist() == [False, False, False]
    assert truncated.tolist() == [False, True, False]
    assert infos["_fault"].tolist() == [False, True, False]
    assert infos["fault"][1] == str(ERRORS[name])
    assert infos["_reward_valid"].tolist() == [False, True, False]
    assert not infos["reward_valid"][1]
    observations, rewards, _, truncated, infos = members.step(["b", "ignored", "b"])
    assert observations == ("did b", "None", "did b")
    assert truncated.tolist() == [False, False, False]
    assert infos["drawn"][1] == expected.reset()[1]["drawn"]
    assert members.envs[1] is not broken
    assert broken.closed  # type: ignore[attr-defined]
    members.close()


def test_a_member_that_cannot_be_reset_is_masked_until_it_can(members: ThreadVectorEnv) -> None:
    members.envs[2].broken = SandboxDied("not now")  # type: ignore[attr-defined]
    observations, infos = members.reset(seed=0)
    assert observations == ("None", "None", "not now")
    assert infos["_fault"].tolist() == [False, False, True]
    members.step(["end", "a", "ignored"])
    members.envs[0].broken = SandboxDied("later")  # type: ignore[attr-defined]
    observations, _, _, truncated, infos = members.step(["ignored", "b", "c"])
    assert observations == ("later", "did b", "did c")
    assert truncated.tolist() == [True, False, False]
    assert infos["_fault"].tolist() == [True, False, False]
    assert members.step(["ignored", "b", "c"])[0] == ("None", "did b", "did c")
    members.close()


def test_a_host_on_which_none_begins_is_told(members: ThreadVectorEnv) -> None:
    for env in members.envs:
        env.broken = SandboxUnavailable("no namespaces")  # type: ignore[attr-defined]
    with pytest.raises(SandboxUnavailable, match="no namespaces"):
        members.reset(seed=0)
    members.close()


def test_infos_can_be_taken_apart(members: ThreadVectorEnv) -> None:
    apart = DictInfoToList(members)
    _, infos = apart.reset(seed=0)
    assert [sorted(info) for info in infos] == [["drawn", "tools"]] * 3
    assert infos[0]["tools"] == [{"name": "bash"}]
    *_, infos = apart.step(["a", "died", "fail"])
    assert infos == [{}, {"reward_valid": False, "fault": "the sandbox is gone"}, {"exit_code": 3}]
    apart.close()


def test_seeds_have_the_right_number(members: ThreadVectorEnv) -> None:
    for seeds in ([1, 2], [1, 2, 3, 4]):
        with pytest.raises(InputError, match=f"{len(seeds)} seeds for 3"):
            members.reset(seed=seeds)
    drawn = members.reset(seed=[7, 8, 9])[1]["drawn"].tolist()
    assert members.reset(seed=7)[1]["drawn"].tolist() == drawn
    assert members.reset(seed=np.int64(7))[1]["drawn"].tolist() == drawn  # type: ignore[arg-type]
    members.close()


def test_options_are_honoured(members: ThreadVectorEnv) -> None:
    members.reset(seed=0)
    members.step(["a", "b", "end"])
    options = {"reset_mask": np.array([False, False, True]), "instance_id": "chosen"}
    observations, infos = members.reset(options=options)
    assert observations == ("did a", "did b", "chosen")
    assert infos["_drawn"].tolist() == [False, False, True]
    assert set(options) == {"reset_mask", "instance_id"}
    assert members.step(["c", "d", "e"])[0] == ("did c", "did d", "did e")
    assert members.reset(options={"instance_id": "x"})[0] == ("x", "x", "x")
    for mask in (np.array([True]), np.array([False] * 3), [1, 0, 1]):
        with pytest.raises(InputError, match="reset_mask"):
            members.reset(options={"reset_mask": mask})
    members.close()


def test_other_errors_are_raised_when_all_have_ended(members: ThreadVectorEnv) -> None:
    members.reset(seed=0)
    with pytest.raises(InputError, match="bad"):
        members.step(["a", "bad", "a"])
    with pytest.raises(InputError, match="2 actions for 3"):
        members.step(["a", "b"])
    members.close()


def test_all_are_closed_even_if_one_fails(members: ThreadVectorEnv) -> None:
    members.envs[0].broken = InputError("stuck")  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="stuck"):
        members.close()
    assert all(env.closed for env in members.envs)  # type: ignore[attr-defined]
    members.close()
    with pytest.raises(InputError, match="closed"):
        members.step(["a", "b", "c"])
    with pytest.raises(InputError, match="closed"):
        members.reset()
