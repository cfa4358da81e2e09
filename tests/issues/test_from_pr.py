"""What people wrote of a change as a problem statement: without links, trailers, and what gives the fix away."""

from __future__ import annotations

import pytest
from issue_samples import FILES, LANGUAGE, task

from swesmith_gym.issues import Materials, Statement, leaks, write


def made(text: str, **fields: object) -> Statement:
    return write(task(original_text=text, **fields), "pr", Materials(FILES, LANGUAGE))


COMMIT = """Keep the discount of large orders (#12)

The sum of a large order was wrong (see #3 and gh-1234): the customer paid too much.
Reported at https://example.org/shop/issues/12, discussed on [the list](https://lists.example.org/1).

Fixes #12, closes shop/shop#7
Signed-off-by: A Person <a@example.org>
Co-authored-by: Another <b@example.org>
Change-Id: I0123456789
git-svn-id: svn://svn.example.org/trunk@12 0123
(cherry picked from commit 0123456789abcdef0123456789abcdef01234567)
"""


def test_a_commit_message_keeps_its_words_alone():
    found = made(COMMIT)
    assert found.mode == "pr"
    assert found.text == (
        "Keep the discount of large orders\n\n"
        "The sum of a large order was wrong: the customer paid too much.\n"
        "Reported at, discussed on the list.\n"
    )


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("fix: total() of an empty cart crashes", "fix: total() of an empty cart crashes"),
        ("Cart in PR #13 loses items, also issue 4", "Cart in loses items"),
        ("Bug 123: cart loses items", ": cart loses items"),
        ("Empty carts crash on Python 3.12, since 2.0.1", "Empty carts crash on Python 3.12, since 2.0.1"),
        ("Colours like #123456 and #1a2 are lost", "Colours like #123456 and #1a2 are lost"),
        ("## Cart loses items\nbpo-1234", "Cart loses items"),
        ("Merge pull request #9 from me/cart\n\nCart loses old items", "Cart loses old items"),
        ("\u202eCart\u202c lo\u200bses items\r\n", "Cart loses items"),
    ],
)
def test_what_says_where_the_answer_is_is_taken_out(text, left):
    assert made(text).text.strip() == left


def test_fields_of_a_mail_and_of_debian_are_no_prose():
    mail = (
        "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\n"
        "Date: Mon, 1 Jan 2024 00:00:00 +0000\nSubject: [PATCH 1/2] Keep the order of items\n\nThey came back sorted.\n"
        "---\n shop/cart.py | 3 +--\n 1 file changed, 1 insertion(+), 2 deletions(-)\n\ndiff --git a/x b/x\n-secret\n"
    )
    assert made(mail).text == "Keep the order of items\n\nThey came back sorted.\n"
    debian = (
        "Origin: upstream, https://example.org\nBug-Debian: https://bugs.example.org/1\nDescription: Cart loses items\n"
        " An empty cart forgets them.\n .\n That is seen at once.\nForwarded: no\nLast-Update: 2024-01-01\n"
    )
    assert made(debian).text == "Cart loses items\n\nAn empty cart forgets them.\n\nThat is seen at once.\n"


def test_lines_that_quote_the_fix_or_name_a_test_are_taken_out():
    text = (
        "Give large orders a discount\n\nWe now return sum(prices) * (0.9 if sum(prices) > 100 else 1), as promised.\n"
        "Covered by tests/test_cart.py, and by test_stock.py.\nCustomers paid too much.\n"
    )
    found = made(text)
    assert found.text == "Give large orders a discount\n\nCustomers paid too much.\n"
    assert leaks(found.text, task().gold_patch) == []


@pytest.mark.parametrize(
    "text",
    [
        "wip",
        "fix",
        "Fix typo",
        "bump version to 1.2.3",
        "Update tests",
        "...",
        "Fixes #12",
        "see https://example.org/1",
        "修",
    ],
)
def test_what_says_nothing_falls_back(text):
    assert made(text).mode == "tests: pr: says_nothing"


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_no_text_falls_back(text):
    assert made(text).mode == "tests: pr: no_text"


def test_a_text_that_is_nothing_but_the_fix_falls_back():
    assert made("return sum(prices) * (0.9 if sum(prices) > 100 else 1)").mode == "tests: pr: says_nothing"


def test_a_text_of_any_length_is_bounded_and_read_at_once():
    found = made("Cart loses items\n\n" + "It forgets one. " * 50_000)
    assert found.mode == "pr"
    assert len(found.text) < 9000
    assert found.text.endswith("[...]\n")
    for endless in ("(", "fixes ", "a/", "a-", "[", "#1,", "\t", "http://", "<a@", "bug aly "):
        assert made("Cart loses items\n" + endless * 100_000).mode == "pr"
