"""Prompts are data: filled in, replaced by a user's, and refused with file and field where they cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from swesmith_gym.errors import InputError
from swesmith_gym.issues import from_lm
from swesmith_gym.lm.prompts import read

NAMES = ("diff", "test")


def write(folder: Path, text: str) -> Path:
    (folder / "p.toml").write_text(text)
    return folder


def test_what_is_filled_in_is_not_looked_at(tmp_path: Path) -> None:
    write(tmp_path, 'system = "Costs $$5."\nuser = "A ${diff}b $test"')
    first, second = read("p", tmp_path, None, NAMES).messages(diff="$test $nobody $", test="x")
    assert first == {"role": "system", "content": "Costs $5."}
    assert second == {"role": "user", "content": "A $test $nobody $b x"}


def test_an_empty_system_part_is_not_sent(tmp_path: Path) -> None:
    write(tmp_path, 'system = ""\nuser = "A"')
    assert [message["role"] for message in read("p", tmp_path, None, NAMES).messages()] == ["user"]


def test_a_users_folder_replaces_ours(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    write(tmp_path / "ours", 'system = ""\nuser = "ours"')
    write(tmp_path, 'system = ""\nuser = "theirs"')
    assert read("p", tmp_path / "ours", tmp_path, NAMES).user == "theirs"
    assert read("p", tmp_path / "ours", None, NAMES).user == "ours"
    with pytest.raises(InputError, match=r"elsewhere/p\.toml: no such file"):
        read("p", tmp_path / "ours", tmp_path / "elsewhere", NAMES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("system = ", "not TOML"),
        ('user = "x"', "the field 'system' must be a text"),
        ('system = ""\nuser = 1', "the field 'user' must be a text"),
        ('system = ""\nuser = " "', "the field 'user' is empty"),
        ('system = ""\nuser = "x"\nassistant = "y"', "unknown field 'assistant'"),
        ('system = ""\nuser = "$difference"', r"unknown placeholder \$difference: known are \$diff, \$test"),
        ('system = ""\nuser = """a\n\nb 5$"""', "lone `\\$` in line 3"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read("p", write(tmp_path, text), None, NAMES)


def test_text_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_bytes(b'user = "\xff"')
    with pytest.raises(InputError, match=r"p\.toml: not TOML"):
        read("p", tmp_path, None, NAMES)


def test_our_prompt_uses_every_placeholder() -> None:
    values = {name: f"<{name.upper()}>" for name in from_lm.PLACEHOLDERS}
    text = "".join(message["content"] for message in from_lm.prompt().messages(**values))
    assert all(value in text for value in values.values())
    assert "$" not in text
