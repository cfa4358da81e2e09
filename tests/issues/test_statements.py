"""Problem statements: useful, silent about the fix, deterministic, and not all alike."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest
from issue_samples import CRASH, FILES, GOLD, LANGUAGE, VALUE_FAILURE, task

from swesmith_gym.errors import InputError
from swesmith_gym.issues import Materials, leaks, write

MODES = ("static", "tests")
"""Those of which a seed decides."""


def make(of, mode="tests", seed=0, files=None):
    return statement(of, mode, seed, files).text


def statement(of, mode="tests", seed=0, files=None):
    return write(of, mode, Materials(FILES if files is None else files, LANGUAGE, seed))


def test_the_tests_mode_shows_code_and_both_values():
    text = make(task())
    assert "```python\nfrom shop.cart import total\n\nprices = [60, 60]\nassert total(prices) == 108\n```" in text
    assert "`108`" in text
    assert "`120`" in text


def test_the_static_mode_shows_values_and_no_test_code():
    text = make(task(), "static")
    assert "`108`" in text
    assert "`120`" in text
    assert "total(prices)" not in text


@pytest.mark.parametrize("mode", MODES)
def test_a_crash_is_told_with_its_message(mode):
    text = make(task(excerpt=CRASH), mode)
    assert "ValueError: max() arg is an empty sequence" in text
    assert "0x7f12" not in text
    assert "run-17" not in text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("excerpt", [VALUE_FAILURE, CRASH, "", "E   Failed: DID NOT RAISE <class 'KeyError'>"])
def test_every_statement_has_a_title_and_never_names_the_fix(mode, excerpt):
    for number in range(40):
        text = make(task(number, excerpt), mode)
        title, blank, rest = text.split("\n", 2)
        assert title.strip()
        assert blank == ""
        assert len(rest.split()) > 15
        for telling in (
            "swap_the_call",
            "in place of",
            "tests/test_cart.py::",
            "shop/cart.py",
            "FAIL_TO_PASS",
            "{",
            "max(",
        ):
            assert telling not in text or (telling == "max(" and excerpt is CRASH), (telling, text)
        assert leaks(text, GOLD) == []


def test_a_missing_error_is_told():
    text = make(task(excerpt="E   Failed: DID NOT RAISE <class 'KeyError'>"), "static")
    assert "`KeyError` is raised." in text


def test_equal_input_and_seed_give_equal_text():
    assert make(task(3)) == make(task(3))
    assert len({make(task(3), seed=seed) for seed in range(10)}) > 7


def test_three_hundred_statements_do_not_read_alike():
    texts = [make(task(number), mode) for number in range(150) for mode in MODES]
    titles = Counter(text.split("\n", 1)[0] for text in texts)
    openings = Counter(text.split("\n\n")[1] for text in texts)
    assert len(set(texts)) > 250
    assert len(titles) >= 12
    assert max(titles.values()) < 60
    assert max(openings.values()) < 90


def test_reproduction_lines_that_give_the_fix_away_are_dropped():
    test = (
        "from shop.cart import total\n\ndef test_same():\n    prices = [1]\n"
        "    assert total(prices) == sum(prices) * (0.9 if sum(prices) > 100 else 1)\n"
    )
    excerpt = "E   assert 2 == 1\ntest: tests/test_cart.py::test_same"
    found = task(excerpt=excerpt, FAIL_TO_PASS=("tests/test_cart.py::test_same",))
    text = make(found, files={"tests/test_cart.py": test.encode()})
    assert "prices = [1]" in text
    assert "0.9" not in text
    assert leaks(text, GOLD) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("it should return sum(prices) * (0.9 now", True),
        ("return max ( prices ) *\nlen", True),
        ("return max(prices", False),
        ("def total(prices): and then return", False),
        ("--- a/shop/cart.py +++ b/shop/cart.py", False),
        ("", False),
    ],
)
def test_leaks_are_runs_of_six_tokens_of_changed_lines(text, found):
    assert bool(leaks(text, GOLD)) is found


@pytest.mark.parametrize("mode", ["poem", ""])
def test_modes_that_do_not_exist_are_bad_input(mode):
    with pytest.raises(InputError, match="does not exist: choose one of static, tests, lm, pr"):
        make(task(), mode)


def test_a_model_that_nobody_named_is_bad_input():
    with pytest.raises(InputError, match="needs a language model"):
        make(task(), "lm")


@pytest.mark.parametrize(
    ("mode", "files", "how"),
    [
        ("static", None, "static"),
        ("tests", None, "tests"),
        ("tests", {}, "static: tests: no_source"),
        ("pr", None, "tests: pr: no_text"),
        ("pr", {}, "static: pr: no_text, tests: no_source"),
    ],
)
def test_a_statement_says_how_it_was_written(mode, files, how):
    found = statement(task(), mode, files=files)
    assert (found.mode, found.cost_usd) == (how, 0.0)
    assert found.text == make(task(), how.partition(":")[0], files=files)


def test_a_test_without_source_falls_back_to_another_or_to_none():
    other = dataclasses.replace(task(), failure_excerpt="E   assert 1 == 2\ntest: tests/test_stock.py::test_count")
    assert "```python" in make(other)
    assert "```python" not in make(other, files={})


def test_code_that_holds_a_fence_does_not_break_the_block():
    excerpt = "E   ValueError: ```\nE   x\ntest: tests/test_cart.py::test_empty_cart"
    assert "\n````\n" in make(task(excerpt=excerpt))
