"""Diffs are what git makes of them: each is applied by `git apply` and must give the new bytes."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from swesmith_gym.diff import changed_span, unified

CASES = {
    "middle": ("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nX\ne\nf\n"),
    "first_line": ("a\nb\nc\nd\ne\n", "X\nb\nc\nd\ne\n"),
    "last_line": ("a\nb\nc\nd\ne\n", "a\nb\nc\nd\nX\n"),
    "no_final_newline_both": ("a\nb", "a\nc"),
    "no_final_newline_context": ("a\nb\nc", "X\nb\nc"),
    "newline_added": ("a\nb", "a\nb\n"),
    "newline_removed": ("a\nb\n", "a\nb"),
    "crlf": ("a\r\nb\r\nc\r\n", "a\r\nX\r\nc\r\n"),
    "crlf_to_lf": ("a\r\nb\r\n", "a\r\nb\n"),
    "lone_cr": ("a\rb\nc\n", "a\rX\nc\n"),
    "form_feed": ("a\x0c\nb\u2028c\nd\n", "a\x0c\nb\u2028X\nd\n"),
    "delete": ("a\nb\nc\n", "a\nc\n"),
    "insert": ("a\nc\n", "a\nb\nc\n"),
    "insert_repeated": ("x\nx\nx\nx\nx\n", "x\nx\nx\nx\nx\nx\n"),
    "two_hunks": (
        "\n".join(map(str, range(40))) + "\n",
        "\n".join(map(str, range(40))).replace("\n5\n", "\nx\n").replace("\n30\n", "\n") + "\n",
    ),
    "emptied": ("a\nb\n", ""),
    "filled": ("", "a\nb"),
    "new": (None, "a\nb\n"),
    "new_empty": (None, ""),
    "deleted": ("a\nb", None),
    "non_ascii": ("ä\nö\nü\n", "ä\no\nü\n"),
}


def apply(folder: Path, path: str, before: str | None, after: str | None) -> None:
    diff = unified(path, before, after)
    subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if before is not None:
        target.write_bytes(before.encode())
    command = ["git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "-"]
    done = subprocess.run(command, cwd=folder, input=diff.encode(), capture_output=True, check=False)
    assert done.returncode == 0, (done.stderr, diff)
    assert (target.read_bytes() if target.exists() else None) == (None if after is None else after.encode()), diff


@pytest.mark.parametrize("name", CASES)
def test_git_applies(name: str, tmp_path: Path) -> None:
    apply(tmp_path, "pkg/mod.py", *CASES[name])


@pytest.mark.parametrize("path", ["with space.py", 'quo"te.py', "tab\there.py", "ünï.py", "back\\slash.py"])
def test_git_reads_the_path(path: str, tmp_path: Path) -> None:
    apply(tmp_path, path, "a\nb\n", "a\nc\n")


def test_random_texts(tmp_path: Path) -> None:
    rng = random.Random(7)
    for number in range(40):
        before = [rng.choice(["a", "b", "", "c\r"]) for _ in range(rng.randrange(30))]
        after = list(before)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(after) + 1)
            after[at : at + rng.randrange(3)] = [rng.choice("abx") for _ in range(rng.randrange(3))]
        ends = [rng.choice(["", "\n"]) for _ in range(2)]
        texts = ["\n".join(lines) + end for lines, end in zip((before, after), ends, strict=True)]
        if texts[0] == texts[1]:
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        apply(folder, "f.txt", *texts)


def test_equal_texts_give_nothing() -> None:
    assert unified("a.py", "x\n", "x\n") == ""


def test_one_line_change_shows_three_lines_of_context() -> None:
    before = "".join(f"{n}\n" for n in range(1, 21))
    expected = (
        "diff --git a/m.py b/m.py\n--- a/m.py\n+++ b/m.py\n@@ -7,7 +7,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13\n"
    )
    assert unified("m.py", before, before.replace("10\n", "ten\n")) == expected


def test_changed_span_is_exact() -> None:
    for before, after in [("abc", "abXc"), ("aa", "a"), ("", "x"), ("aXa", "aXXa"), ("same", "sane")]:
        start, end, new_end = changed_span(before, after)
        assert before[:start] == after[:start]
        assert before[end:] == after[new_end:]
        assert start <= end
        assert start <= new_end
