"""Blocks of a Markdown answer, whatever it looks like, in linear time."""

from __future__ import annotations

import time

import pytest

from swesmith_gym.lm.fences import Part, fence_around, parts, spoken


def prose(text: str) -> Part:
    return Part(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a", [prose("a\n")]),
        ("a\n\nb\n", [prose("a\n\nb\n")]),
        ("```\na\n```", [Part("a\n", "")]),
        ("x\n```py\na\n\n b\n```\ny\n", [prose("x\n"), Part("a\n\n b\n", "py"), prose("y\n")]),
        ("```\n```", [Part("", "")]),
        ("~~~ Python 3 \na\n~~~", [Part("a\n", "Python 3")]),
        ("~~~ `py`\na\n~~~", [Part("a\n", "`py`")]),
        ("```a```\nb\n", [prose("```a```\nb\n")]),
        ("``\na\n``", [prose("``\na\n``\n")]),
        ("````\n```\na\n```\n`````  \nb", [Part("```\na\n```\n", ""), prose("b\n")]),
        ("```\n~~~\n```", [Part("~~~\n", "")]),
        ("```\na\n``` b\n```", [Part("a\n``` b\n", "")]),
        ("```\r\na\r\n```\r\nb\rc", [Part("a\n", ""), prose("b\nc\n")]),
        ("```\na", [Part("a\n", "", closed=False)]),
        ("a\n```", [prose("a\n"), Part("", "", closed=False)]),
        ("```\na\n```\n```", [Part("a\n", ""), Part("", "", closed=False)]),
        ("  ```\n  a\n   b\n c\n\n  ```", [Part("a\n b\nc\n\n", "")]),
        ("      ```\n      a\n      ```", [Part("a\n", "")]),
        ("\t```\n\ta\n\t```", [Part("a\n", "")]),
        ("```\n   ```", [Part("", "")]),
        ("```\n    ```\n\t```\n```", [Part("    ```\n\t```\n", "")]),
        ("    ```\n    a\n```", [Part("a\n", "")]),
    ],
)
def test_an_answer_is_taken_apart(text: str, expected: list[Part]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("info", "mark"),
    [
        ("", ""),
        ("python", "python"),
        ("Python 3", "python"),
        ("{.python}", "python"),
        ("{ .py .numbers }", "py"),
        ("bash,copy", "bash"),
        ("c++", "c++"),
        ('toml title="x"', "toml"),
        ("?", ""),
    ],
)
def test_the_mark_of_a_block(info: str, mark: str) -> None:
    (block,) = parts(f"~~~{info}\n~~~")
    assert (block.block, block.mark) == (True, mark)
    assert (prose("x").block, prose("x").mark) == (False, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a", "a"),
        ("<think>b</think>a", "a"),
        (" \n<Thinking>b\n```\nc\n```\n</thinking>\na", "\na"),
        ("<think>b</think>c</think>a", "c</think>a"),
        ("<think>b", ""),
        ("b\n</think>\n\na", "\n\na"),
        ("b.</think>\r\na", "\na"),
        ('x = "</think>" + y\n', 'x = "</think>" + y\n'),
        ("```\n<think>\n</think>\n```", "```\n<think>\n</think>\n```"),
        ("a <think>b</think>\nc", "a <think>b</think>\nc"),
    ],
)
def test_what_is_thought_aloud_before_an_answer_is_left_out(text: str, said: str) -> None:
    assert spoken(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "`" * 400_000,
        "`" * 399_999 + "x`",
        "~" * 399_999 + "`",
        "``` ` " * 66_000,
        "```\n" * 100_000,
        "```a\n" * 80_000,
        " " * 400_000 + "```",
        "\t" * 200_000 + "```\n" + "\t" * 200_000,
        "```" + " " * 400_000 + "x",
        "\n" * 400_000,
        "</think>" * 50_000,
        "</think> " * 44_000 + "x",
        "</think>" + " " * 400_000 + "x",
        "<think>" * 57_000,
        "x<think>" * 50_000,
        "`~" * 200_000,
    ],
    ids=range(16),
)
def test_hostile_answers_are_read_quickly(text: str) -> None:
    started = time.process_time()
    found = parts(spoken(text))
    fence_around(text)
    assert time.process_time() - started < 2
    assert all(part.text.endswith("\n") for part in found if part.text)


def test_a_fence_that_nothing_in_a_text_closes() -> None:
    assert fence_around("a", "~~~~~") == "```"
    assert fence_around("```", "x ````` y") == "``````"
