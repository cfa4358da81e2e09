"""What a model may reply, and a dialogue that stays within its bound."""

from __future__ import annotations

import time

import pytest

from swesmith_gym.agents.dialogue import Dialogue
from swesmith_gym.agents.replies import MOST_CHARS, MalformedReply, parse
from swesmith_gym.repos.proposals import Proposal

ANSWER = 'python = "3.11"\ninstall = ["a", "b"]\ntest_command = "pytest"\n[env]\nA = "1"\n'


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("I look.\n```bash\nls -l\n```\n", "ls -l"),
        ("```sh\nls\n\npwd\n```", "ls\n\npwd"),
        ("<think>```bash\nrm x\n```</think>\n```bash\nls\n```", "ls"),
        ("  ```bash\r\nls\r\n  ```", "ls"),
        ("I think.\n</think>\n~~~bash\nls\n~~~", "ls"),
        ("````bash\ncat <<E\n```\nE\n````", "cat <<E\n```\nE"),
        ("```bash\ncat <<E\n    ```\nE\n```", "cat <<E\n    ```\nE"),
        ("An example of output:\n```\nx\n```\n```python\ny\n```\n```bash\nls\n```", "ls"),
    ],
)
def test_a_command(text: str, command: str) -> None:
    assert parse(text) == command


def test_an_answer() -> None:
    assert parse(f"Done.\n```toml\n{ANSWER}```") == Proposal("3.11", ("a", "b"), "pytest", {"A": "1"})
    assert parse('```toml\npython = "3.9"\ninstall = []\ntest_command = "pytest"\n```') == Proposal("3.9", (), "pytest")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no blocks"),
        ("ls", "no blocks"),
        ("```bash\nls", "no blocks"),
        ("<think>```bash\nls\n```", "no blocks"),
        ("```bash\nls\n```\n```bash\npwd\n```", "2 blocks"),
        (f"```bash\nls\n```\n```toml\n{ANSWER}```", "2 blocks"),
        ("```bash\n\n```", "empty"),
        ("```bash\nl\0s\n```", "NUL"),
        ("```toml\npython = \n```", "not TOML"),
        ("```toml\nx = " + "[" * 5000 + "\n```", "TOML|deep"),
        (f"```toml\nsurprise = 1\n{ANSWER}```", "surprise"),
        ('```toml\npython = "3.11"\ninstall = []\n```', "lacks `test_command`"),
        ("```toml\n" + ANSWER.replace('"3.11"', "3.11") + "```", "`python` .* a string"),
        ("```toml\n" + ANSWER.replace('"b"', "1") + "```", "`install` .* list of strings"),
        ("```toml\n" + ANSWER.replace('A = "1"', "A = 1") + "```", "`env` .* table of strings"),
        ("x" * (MOST_CHARS + 1), "longer"),
    ],
)
def test_what_is_malformed_is_said(text: str, said: str) -> None:
    with pytest.raises(MalformedReply, match=said):
        parse(text)


def test_a_long_reply_of_open_blocks_is_read_quickly() -> None:
    started = time.process_time()
    with pytest.raises(MalformedReply):
        parse("```bash\nx\n" * 9000)
    assert time.process_time() - started < 2


def told(dialogue: Dialogue) -> int:
    return sum(len(message["content"]) for message in dialogue.messages)


def test_old_outputs_are_shortened_first() -> None:
    dialogue = Dialogue("system", "task", 24_000)
    for number in range(12):
        dialogue.add(f"reply {number}", f"start {number} " + "x" * 3000 + f" end {number}")
        assert told(dialogue) == dialogue.chars <= 24_000
    texts = [message["content"] for message in dialogue.messages]
    assert texts[:3] == ["system", "task", "reply 0"]
    assert texts[3].startswith("start 0 ")
    assert texts[3].endswith(" end 0")
    assert "not shown" in texts[3]
    assert "not shown" not in texts[-1]


def test_turns_are_left_out_when_shortening_is_not_enough() -> None:
    dialogue = Dialogue("system", "task", 6000)
    for number in range(60):
        dialogue.add(f"reply {number} " + "y" * 200, "x" * 200)
        assert told(dialogue) <= 6000
    roles = [message["role"] for message in dialogue.messages]
    assert roles == ["system", "user"] + ["assistant", "user"] * ((len(roles) - 2) // 2)
    assert "turns are left out]" in dialogue.messages[1]["content"]
    assert dialogue.messages[-2]["content"].startswith("reply 59")


def test_narrowing_halves_what_is_said() -> None:
    dialogue = Dialogue("system", "task", 100_000)
    for _ in range(8):
        dialogue.add("y" * 5000, "x" * 5000)
    before = dialogue.chars
    dialogue.narrow()
    assert told(dialogue) <= before // 2
    dialogue.narrow()
    assert told(dialogue) <= before // 4
