"""Wrappers over a small text environment that keeps the contract of `BugFixEnv`."""

from __future__ import annotations

import string
import time
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.utils.env_checker import check_env

from swesmith_gym.records import Trajectory, Verdict
from swesmith_gym.wrappers import (
    ParseToolCalls,
    RecordTrajectory,
    ShapedReward,
    StripAnsi,
    TruncateObservation,
    strip_ansi,
)
from swesmith_gym.wrappers.parse_tool_calls import ToolCallError, parse_tool_call
from swesmith_gym.wrappers.shaped_reward import shaped
from swesmith_gym.wrappers.truncate_observation import truncate

TOOLS = [
    {"name": "view", "parameters": {"properties": {"path": {"type": "string"}, "view_range": {"type": "array"}}}},
]


class Echo(gym.Env[str, Any]):
    """Answers with the action; submitting ends it with the verdict that it was made with."""

    def __init__(self, verdict: Verdict | dict[str, Any] | None = None, **end: Any) -> None:
        self.observation_space = gym.spaces.Text(100_000, min_length=0, charset=string.printable)
        self.action_space = gym.spaces.Text(20)
        self.verdict = verdict
        self.end = end
        self.seen: list[Any] = []

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        return "fix it", {"instance_id": "demo.procedural__0123456789", "repo": "demo", "tools": TOOLS}

    def step(self, action: Any) -> tuple[str, float, bool, bool, dict[str, Any]]:
        self.seen.append(action)
        submitted = action in ("submit", {"tool": "submit"})
        info: dict[str, Any] = {"exit_code": 0}
        if submitted:
            info |= {"verdict": self.verdict} if self.verdict is not None else {}
            info |= self.end
        return str(action), float(submitted and bool(self.verdict)), submitted, False, info


def verdict(**fields: Any) -> Verdict:
    return Verdict(**({"instance_id": "demo", "resolved": False} | fields))


@pytest.mark.parametrize(
    "wrap",
    [
        StripAnsi,
        TruncateObservation,
        ShapedReward,
        lambda env: RecordTrajectory(env, sink=lambda trajectory: None),
        ParseToolCalls,
    ],
    ids=["StripAnsi", "TruncateObservation", "ShapedReward", "RecordTrajectory", "ParseToolCalls"],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_wrapped_environment_passes_gymnasiums_checker(wrap: Any) -> None:
    check_env(wrap(Echo()), skip_render_check=True)


def test_a_stack_of_wrappers_is_rebuilt_from_its_spec() -> None:
    gym.register("EchoForWrappers-v0", entry_point=Echo)
    env = ShapedReward(TruncateObservation(gym.make("EchoForWrappers-v0"), max_chars=40), penalty=0.5)
    assert env.spec is not None
    again = gym.make(env.spec)
    assert isinstance(again, ShapedReward)
    assert again.penalty == 0.5
    assert isinstance(again.env, TruncateObservation)
    assert again.env.max_chars == 40


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[38;5;196;1mx", "x"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x07text", "text"),
        ("\x9b1mx\x9d0;t\x9cy", "xy"),
        ("\x1b\x1b[31mx", "x"),
        ("\x1b(Bx\x1b=y", "xy"),
        ("end\x1b[", "end"),
        ("end\x1b", "end"),
        ("\x1b]0;never ended\nnext", "\nnext"),
        ("[31m stays, so does\ttab\r\n", "[31m stays, so does\ttab\r\n"),
    ],
)
def test_escape_sequences_are_removed_and_nothing_else(raw: str, plain: str) -> None:
    assert strip_ansi(raw) == plain
    assert "\x1b" not in strip_ansi(raw)


@pytest.mark.parametrize("piece", ["\x1b]0;", "\x1b[", "\x1b[0;", "\x1bP"])
def test_removing_escapes_takes_linear_time(piece: str) -> None:
    started = time.process_time()
    strip_ansi(piece * 200_000)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("size", [1, 30, 60, 100, 999])
@pytest.mark.parametrize("head", [0.0, 0.3, 1.0])
def test_truncation_never_exceeds_the_limit(size: int, head: float) -> None:
    text = "".join(chr(65 + i % 26) for i in range(1_000))
    cut = truncate(text, size, head)
    assert len(cut) <= size
    if "left out" in cut:
        front, rest = cut.split("\n[… ")
        missing, back = rest.split(" characters left out …]\n")
        assert text.startswith(front)
        assert text.endswith(back)
        assert len(front) + int(missing) + len(back) == len(text)


def test_a_text_at_the_limit_is_left_alone() -> None:
    env = TruncateObservation(Echo(), max_chars=6)
    assert env.reset()[0] == "fix it"


@pytest.mark.parametrize("bad", [{"max_chars": 0}, {"head": 1.5}])
def test_impossible_limits_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="max_chars"):
        TruncateObservation(Echo(), **bad)


@pytest.mark.parametrize(
    ("found", "reward"),
    [
        (verdict(resolved=True, f2p_success=("a",)), 1.0),
        (verdict(f2p_success=("a",), f2p_failure=("b",), p2p_success=("c", "d")), 0.5),
        (verdict(f2p_success=("a",), f2p_failure=("b",), p2p_success=("c",), p2p_failure=("d",)), 0.0),
        (verdict(f2p_failure=("b",), p2p_failure=("d",)), -1.0),
        (verdict(f2p_success=("a",), violation="links_out"), 0.0),
        (verdict(), 0.0),
        ({"resolved": False, "f2p_success": ["a"], "f2p_failure": ["b", "c", "d"]}, 0.25),
    ],
)
def test_the_shaped_reward_of_a_verdict(found: Any, reward: float) -> None:
    assert shaped(found) == reward


def test_shaping_touches_only_the_step_that_brings_a_verdict() -> None:
    env = ShapedReward(Echo(verdict(f2p_success=("a",), f2p_failure=("b",))))
    env.reset()
    assert env.step("ls")[1] == 0.0
    _, reward, *_, info = env.step("submit")
    assert (reward, info["sparse_reward"]) == (0.5, 1.0)


def test_a_fault_is_never_shaped() -> None:
    env = ShapedReward(Echo(verdict(f2p_success=("a",)), fault="host", reward_valid=False))
    env.reset()
    assert env.step("submit")[1] == 1.0


def test_an_episode_is_recorded_and_handed_over_once() -> None:
    kept: list[Trajectory] = []
    env = RecordTrajectory(Echo(verdict(resolved=True), model_patch="diff"), kept.append, agent="me")
    env.reset(seed=7)
    env.step("ls")
    env.step({"tool": "submit"})
    env.close()
    (one,) = kept
    assert (one.instance_id, one.agent, one.seed) == ("demo.procedural__0123456789", "me", 7)
    assert one.observation == "fix it"
    assert [step.action for step in one.steps] == ["ls", {"tool": "submit"}]
    assert (one.reward, one.reward_valid, one.resolved, one.model_patch) == (1.0, True, True, "diff")
    assert one.info == {"repo": "demo"}


def test_the_same_episode_has_the_same_name_and_the_next_one_another() -> None:
    def names() -> list[str]:
        kept: list[Trajectory] = []
        env = RecordTrajectory(Echo(), kept.append)
        for _ in range(2):
            env.reset(seed=1)
            env.step("submit")
        return [one.trajectory_id for one in kept]

    assert names() == names()
    assert len(set(names())) == 2


@pytest.mark.parametrize("cut", ["reset", "close"])
def test_an_unfinished_episode_is_handed_over_as_such(cut: str) -> None:
    kept: list[Trajectory] = []
    env = RecordTrajectory(Echo(), kept.append)
    env.reset()
    env.step("ls")
    getattr(env, cut)()
    (one,) = kept
    assert not one.reward_valid
    assert one.info["unfinished"] is True


def test_a_fault_is_recorded_as_no_reward() -> None:
    kept: list[Trajectory] = []
    env = RecordTrajectory(Echo(fault="daemon gone", reward_valid=False), kept.append)
    env.reset()
    env.step("submit")
    assert not kept[0].reward_valid
    assert kept[0].info["fault"] == "daemon gone"


CALLS = [
    ("Look.\n```bash\nls -la\ncat x\n```\n", {"tool": "bash", "command": "ls -la\ncat x"}),
    ("```sh\r\nls\r\n```", {"tool": "bash", "command": "ls"}),
    ("````bash\ncat <<E\n```\nE\n````", {"tool": "bash", "command": "cat <<E\n```\nE"}),
    ("done\n```bash\nsubmit\n```", {"tool": "submit"}),
    ('<tool_call>{"name": "bash", "arguments": {"command": "ls"}}</tool_call>', {"tool": "bash", "command": "ls"}),
    ('<tool_call>\n{"name": "submit"}\n</tool_call>', {"tool": "submit"}),
    (
        '<tool_call>{"name": "bash", "arguments": "{\\"command\\": \\"ls\\"}"}</tool_call>',
        {"tool": "bash", "command": "ls"},
    ),
    (
        "<function=view>\n<parameter=path>\na b\n</parameter>\n<parameter=view_range>[1, 2]</parameter>\n</function>",
        {"tool": "view", "path": "a b", "view_range": [1, 2]},
    ),
    ("<function=view><parameter=view_range>[1,</parameter></function>", {"tool": "view", "view_range": "[1,"}),
    ("<function=submit></function>", {"tool": "submit"}),
    (
        "```bash\ncat > x <<E\n<tool_call>{}</tool_call>\nE\n```",
        {"tool": "bash", "command": "cat > x <<E\n<tool_call>{}</tool_call>\nE"},
    ),
]


@pytest.mark.parametrize(("text", "call"), CALLS)
def test_the_call_in_a_text_reaches_the_environment(text: str, call: dict[str, Any]) -> None:
    inner = Echo()
    env = ParseToolCalls(inner)
    env.reset()
    assert "format_error" not in env.step(text)[4]
    assert inner.seen == [call]


MALFORMED = [
    "",
    "I would list the files.",
    "```bash\nls\n```\n```bash\npwd\n```",
    "```bash\nnever closed",
    "```python\nprint()\n```",
    "<tool_call>{not json}</tool_call>",
    '<tool_call>["bash"]</tool_call>',
    '<tool_call>{"name": 3}</tool_call>',
    '<tool_call>{"name": "bash", "arguments": [1]}</tool_call>',
    '<tool_call>{"name": "bash", "arguments": "{"}</tool_call>',
    "<tool_call>" + "[" * 100_000 + "</tool_call>",
    "<function=bash><parameter=command>ls</parameter>",
    "\ud800\x00\u202e",
]


@pytest.mark.parametrize("text", MALFORMED, ids=range(len(MALFORMED)))
def test_text_without_one_call_is_answered_with_the_format(text: str) -> None:
    inner = Echo()
    env = ParseToolCalls(inner)
    env.reset()
    observation, _, terminated, _, info = env.step(text)
    assert "exactly one tool call" in observation
    assert info["format_error"]
    assert not terminated
    assert inner.seen == [{"tool": ""}], "it costs a step"


def test_only_the_formats_asked_for_are_read() -> None:
    with pytest.raises(ToolCallError):
        parse_tool_call("```bash\nls\n```", ["json"])
    with pytest.raises(ValueError, match="formats"):
        ParseToolCalls(Echo(), formats=["yaml"])


def test_a_ready_tool_call_is_passed_on() -> None:
    inner = Echo()
    env = ParseToolCalls(inner)
    env.step({"tool": "submit"})
    assert inner.seen == [{"tool": "submit"}]


@pytest.mark.parametrize(
    "piece", ["```bash\n", "<tool_call>", "<function=a>", "<function=a><parameter=b>", "</tool_call>"]
)
def test_reading_takes_linear_time(piece: str) -> None:
    started = time.process_time()
    with pytest.raises(ToolCallError):
        parse_tool_call(piece * 50_000)
    assert time.process_time() - started < 5
