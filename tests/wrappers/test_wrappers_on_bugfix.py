"""The wrappers together over the real environment: a model's text in, a trajectory with a shaped reward out."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import pytest
from gymnasium.utils.env_checker import check_env

import swesmith_gym  # noqa: F401  (registers the environment)
from swesmith_gym.envs.actions import TOOLS
from swesmith_gym.records import Trajectory
from swesmith_gym.wrappers import ParseToolCalls, RecordTrajectory, ShapedReward, StripAnsi, TruncateObservation
from swesmith_gym.wrappers.parse_tool_calls import parse_tool_call, schemas_of


def test_values_of_xml_calls_get_the_types_that_the_tools_want() -> None:
    text = "<function=view><parameter=path>3</parameter><parameter=view_range>[1, -1]</parameter></function>"
    assert parse_tool_call(text, schemas=schemas_of(list(TOOLS))) == {
        "tool": "view",
        "path": "3",
        "view_range": [1, -1],
    }
    text = "<function=insert><parameter=insert_line>0</parameter><parameter=new_str>7</parameter></function>"
    assert parse_tool_call(text, schemas=schemas_of(list(TOOLS))) == {
        "tool": "insert",
        "insert_line": 0,
        "new_str": "7",
    }


@pytest.mark.sandbox
@pytest.mark.network
def test_a_models_text_is_played_shaped_and_recorded(abacus_table: Path) -> None:
    kept: list[Trajectory] = []
    inner = gym.make("SWESmith/BugFix-v0", tasks=str(abacus_table), disable_env_checker=True)
    shown = TruncateObservation(StripAnsi(ShapedReward(inner)), max_chars=2_000)
    with_calls = RecordTrajectory(ParseToolCalls(shown), kept.append, agent="text")
    with_calls.reset(seed=1)
    assert "exactly one tool call" in with_calls.step("Let me think.")[0]
    printed = with_calls.step("Colours.\n```bash\nprintf '\\033[31mred\\033[0m'; seq 5000\n```")[0]
    assert printed.startswith("red")
    assert len(printed) == 2_000
    assert "numbers" in with_calls.step("<function=view><parameter=path>src/abacus</parameter></function>")[0]
    _, reward, terminated, _, info = with_calls.step('<tool_call>{"name": "submit"}</tool_call>')
    with_calls.close()
    assert terminated
    assert (reward, info["sparse_reward"]) == (0.0, 0.0)
    (one,) = kept
    assert (one.agent, len(one.steps), one.reward_valid, one.resolved) == ("text", 4, True, False)


@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_wrapped_bugfix_environment_passes_gymnasiums_checker(abacus_table: Path) -> None:
    env = gym.make("SWESmith/BugFix-v0", tasks=str(abacus_table), disable_env_checker=True)
    check_env(StripAnsi(TruncateObservation(env)), skip_render_check=True)
    env.close()
