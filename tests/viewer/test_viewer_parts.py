"""Diffs, statements and text as the templates get them."""

from __future__ import annotations

import time

import pytest
from report_samples import HOSTILE, PATCH

from swesmith_gym.viewer.diffs import MAX_LINES, edited_lines, parse
from swesmith_gym.viewer.markdown import Block, blocks, inline
from swesmith_gym.viewer.text import marked, shortened, terminal, visible


def test_lines_are_numbered_and_changed_words_marked() -> None:
    (file,) = parse(PATCH)
    assert (file.path, file.added, file.removed) == ("pkg/a.py", 1, 2)
    assert [(line.kind, line.old, line.new) for line in file.lines] == [
        ("hunk", None, None),
        ("same", 1, 1),
        ("del", 2, None),
        ("add", None, 2),
        ("same", 3, 3),
        ("del", 4, None),
        ("note", None, None),
    ]
    assert [piece for changed, piece in file.lines[2].pieces if changed] == ["="]


def test_new_deleted_and_several_files() -> None:
    patch = "--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+x\n--- a/old.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-y\n"
    assert [(file.added, file.removed) for file in parse(patch)] == [(1, 0), (0, 1)]
    assert [file.path for file in parse(patch)] == ["new.py", "old.py"]
    assert edited_lines(patch) == 2


@pytest.mark.parametrize(
    "text", ["", "no diff", "@@ -1,5 +1,5 @@", "+++ b/x", "--- a/x", "@@ -1 +1 @@\n+a\n-b", *HOSTILE]
)
def test_anything_is_shown_somehow(text: str) -> None:
    parse(text)
    blocks(text)


def test_a_huge_diff_is_cut_and_says_so() -> None:
    patch = f"--- a/x\n+++ b/x\n@@ -0,0 +1,9000 @@\n{'+line' + chr(10)}" * 1 + "+line\n" * 8_999
    (file,) = parse(patch)
    assert file.added == 9_000
    assert len(file.lines) == MAX_LINES + 1
    assert file.lines[-1].kind == "note"


def test_long_lines_do_not_take_long() -> None:
    started = time.process_time()
    parse("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-" + "ab " * 100_000 + "\n+" + "ba " * 100_000)
    assert time.process_time() - started < 5


def test_the_parts_of_a_statement() -> None:
    assert blocks("# Head\ntext\nmore\n\n- a\n2. b\n```py\n# no head\n\n```\nend") == [
        Block("heading", ("Head",)),
        Block("text", ("text", "more")),
        Block("list", ("a", "b")),
        Block("code", ("# no head", "")),
        Block("text", ("end",)),
    ]
    assert blocks("```\nnever closed") == [Block("code", ("never closed",))]
    assert inline("a `b` c") == [(False, "a "), (True, "b"), (False, " c")]


def test_text_is_visible_escaped_and_bounded() -> None:
    assert visible("tab\tline\nx\x1b\u200b\x7f") == "tab\tline\nx⟨ESC⟩⟨U+200B⟩⟨DEL⟩"
    assert marked("<\x07>") == '&lt;<span class="ctl">⟨BEL⟩</span>&gt;'
    assert visible("naïve 漢字 👍") == "naïve 漢字 👍"
    assert terminal("\x1b[1mx\x1b[0m\r\n") == "x\n"
    assert len(shortened("x" * 100_000, 1_000)) < 1_100
