"""The edit tools on odd text: lone surrogates, bytes that are not UTF-8, other line ends; and on modes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from swesmith_gym.envs.bugfix import BugFixEnv
from swesmith_gym.envs.tools import shorten

pytestmark = [pytest.mark.sandbox, pytest.mark.network]


@pytest.fixture(scope="module")
def env(abacus_table: Path) -> Iterator[BugFixEnv]:
    made = BugFixEnv(abacus_table, max_steps=10_000, max_seconds=3600.0)
    made.reset(seed=0)
    yield made
    made.close()


def call(env: BugFixEnv, tool: str, **arguments: Any) -> str:
    observation = env.step({"tool": tool, **arguments})[0]
    assert observation.encode().decode() == observation
    return observation


def put(env: BugFixEnv, path: str, data: bytes) -> None:
    env.step(f"mkdir -p $(dirname {path}); printf %s '{base64.b64encode(data).decode()}' | base64 -d > {path}")


def content(env: BugFixEnv, path: str) -> bytes:
    return base64.b64decode(env.step(f"base64 -w0 {path}; echo")[0])


@pytest.mark.parametrize(
    "action",
    [
        "echo '\ud800'",
        {"tool": "create", "path": "odd.txt", "file_text": "\ud800"},
        {"tool": "create", "path": "odd\udfff.txt", "file_text": ""},
        {"tool": "str_replace", "path": "README.md", "old_str": "a", "new_str": "\ud8ff"},
        {"tool": "insert", "path": "README.md", "insert_line": 0, "new_str": "\udc7f"},
        {"tool": "view", "path": "\udd00"},
        {"tool": "\ud800"},
        {"tool": "bash", "\ud800": ""},
    ],
)
def test_half_of_a_surrogate_pair_is_answered(env: BugFixEnv, action: Any) -> None:
    observation, reward, terminated, truncated, _ = env.step(action)
    assert any(word in observation for word in ("U+D", "no tool", "no argument"))
    assert observation.isascii()
    assert (reward, terminated, truncated) == (0.0, False, False)


def test_bytes_that_are_not_utf_8_survive_an_edit_and_are_shown_readably(env: BugFixEnv) -> None:
    put(env, "latin.txt", b"caf\xe9 one\ntwo\n")
    assert "caf\ufffd one" in call(env, "view", path="latin.txt")
    assert "caf\ufffd one" in call(env, "str_replace", path="latin.txt", old_str="two", new_str="2")
    assert "caf\ufffd one" in call(env, "insert", path="latin.txt", insert_line=2, new_str="3")
    assert content(env, "latin.txt") == b"caf\xe9 one\n2\n3\n"


def test_escaped_bytes_may_be_written(env: BugFixEnv) -> None:
    assert "b\ufffdd.txt" in call(env, "create", path="b\udce9d.txt", file_text="x\udcff\n")
    assert env.step("base64 -w0 b?d.txt")[0] == base64.b64encode(b"x\xff\n").decode()
    assert call(env, "view", path="b\udce9d.txt").startswith("     1\tx\ufffd")
    assert env.step("ls b\udce9d.txt | base64 -w0")[0] == base64.b64encode(b"b\xe9d.txt\n").decode()


@pytest.mark.parametrize(
    ("before", "line", "new", "after"),
    [
        (b"a\r\nb\r\n", 1, "x\ny", b"a\r\nx\r\ny\r\nb\r\n"),
        (b"a\r\nb\r\n", 2, "x\r\n", b"a\r\nb\r\nx\r\n"),
        (b"a\r\nb", 0, "x", b"x\r\na\r\nb"),
        (b"a\r\nb", 2, "x", b"a\r\nb\r\nx"),
        (b"a\nb\n", 1, "x\r\n", b"a\nx\nb\n"),
        (b"a\x0cb\xe2\x80\xa8c\rd\ne\n", 1, "x", b"a\x0cb\xe2\x80\xa8c\rd\nx\ne\n"),
        (b"a\nb", 1, "x", b"a\nx\nb"),
        (b"a\nb", 2, "x", b"a\nb\nx"),
        (b"a\nb\n", 2, "x", b"a\nb\nx\n"),
        (b"a", 1, "x", b"a\nx"),
        (b"", 0, "x\r\n", b"x\r\n"),
    ],
)
def test_insert_leaves_every_other_byte_alone(env: BugFixEnv, before: bytes, line: int, new: str, after: bytes) -> None:
    put(env, "lines.txt", before)
    assert "edited" in call(env, "insert", path="lines.txt", insert_line=line, new_str=new)
    assert content(env, "lines.txt") == after
    call(env, "undo_edit", path="lines.txt")
    assert content(env, "lines.txt") == before


def test_insert_counts_lines_by_line_feeds(env: BugFixEnv) -> None:
    put(env, "lines.txt", b"a\x0cb\r\nc")
    assert "has 2 lines" in call(env, "insert", path="lines.txt", insert_line=3, new_str="x")


def test_taking_an_edit_back_keeps_the_mode(env: BugFixEnv) -> None:
    env.step("printf '#!/bin/sh\\necho old\\n' > run.sh && chmod +x run.sh")
    call(env, "str_replace", path="run.sh", old_str="old", new_str="new")
    call(env, "undo_edit", path="run.sh")
    assert env.step("./run.sh")[0] == "old\n"
    assert call(env, "create", path="plain.txt", file_text="a")
    call(env, "create", path="plain.txt", file_text="b")
    call(env, "undo_edit", path="plain.txt")
    assert env.step("stat -c %a plain.txt")[0] == "644\n"


def test_what_is_shortened_is_short() -> None:
    assert shorten("abcdef", 1) == ("\n[... 6 characters are left out ...]\n", True)
