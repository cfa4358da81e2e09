"""Statements of a model: each fault is found, told and given one more try; what cannot be asked falls back or stops."""

from __future__ import annotations

import pytest
from issue_samples import BUG, CRASH, FILES, GOLD, LANGUAGE, VALUE_FAILURE, task
from scripted_author import CODE, REPORT, Model, completion

from swesmith_gym.errors import BudgetExhausted, ContextExceeded, LMError
from swesmith_gym.issues import Author, Materials, Statement, from_lm, write
from swesmith_gym.issues.faults import LM_REASONS, WORDS, Fault
from swesmith_gym.issues.trial import Trial


def told(*answers, trials=(), of=None, seed=0) -> tuple[Statement, Model, list[str]]:
    """The statement, the model that was asked, and the code that was run. `trials`: how each piece of code does."""
    model, results, ran = Model(*answers), list(trials), []

    def trial(_, code: str) -> Trial:
        ran.append(code)
        return results.pop(0) if results else Trial()

    author = Author(model, from_lm.prompt(), trial)
    return write(of or task(), "lm", Materials(FILES, LANGUAGE, seed, author)), model, ran


def test_a_report_whose_reproduction_shows_the_bug_is_the_statement():
    found, model, ran = told(REPORT)
    assert (found.mode, found.cost_usd) == ("lm", 0.25)
    assert found.text == REPORT.removeprefix("# ")
    assert ran == [CODE]
    assert len(model.requests) == 1


def test_the_model_is_given_the_bug_the_test_and_its_output_and_no_id():
    excerpt = f"tests/test_cart.py::test_discount_applies_to_large_orders\n{VALUE_FAILURE}"
    _, model, _ = told(REPORT, of=task(excerpt=excerpt), seed=7)
    (request,) = model.requests
    system, user = request.messages
    assert (system["role"], user["role"], request.sample) == ("system", "user", 7)
    for part in (BUG.strip(), "prices = [60, 60]\n    assert total(prices) == 108", "assert 120 == 108", "`shop`"):
        assert part in user["content"]
    assert "::" not in user["content"]


def test_output_that_quotes_the_bug_is_shown_without_it():
    crash = CRASH.replace("return max(prices) * len(prices)", "return max(prices) * len(prices)  # here")
    _, model, _ = told(REPORT, of=task(excerpt=crash))
    output = model.requests[0].messages[1]["content"].partition("<output>")[2]
    assert "ValueError" in output
    assert "* len(prices)" not in output
    assert "0x7f12" not in output


def test_a_task_whose_output_names_no_test_is_told_of_one_by_its_seed():
    asked = {
        told(REPORT, of=task(number, excerpt="E   assert 1 == 2"))[1].requests[0].messages[1]["content"]
        for number in range(12)
    }
    assert any("test_empty_cart" in each for each in asked)
    assert any("test_discount_applies" in each for each in asked)


def test_large_material_is_shortened():
    whole = "".join(f"+line {number}\n" for number in range(20_000))
    _, model, _ = told(REPORT, of=task(bug=BUG + whole, excerpt="E   x\n" * 50_000))
    assert len(model.requests[0].messages[1]["content"]) < 20_000
    assert "[...]" in model.requests[0].messages[1]["content"]


def without_code(text: str = REPORT) -> str:
    before, _, rest = text.partition("```python")
    return before + rest.partition("```")[2]


FAULTY = {
    "": "not_text",
    "\x00\x01\x02\ufffd" * 20: "not_text",
    "}{)(*&^%$#@!~" * 40: "not_text",
    "Wrong total\n\n" + "the total is the total of " * 60: "not_text",
    "```python\nx = 1\n```\n" + "words of a report " * 2: "no_title",
    "- a list\n\n" + without_code(): "no_title",
    "t" * 300 + "\n\n" + without_code(): "no_title",
    "Wrong total\n\nIt is wrong.\n\n```python\nassert 0\n```\n": "too_short",
    REPORT + "and so on, with other words and numbers 1 to 9\n" * 300: "too_long",
    "x" * 200_000: "too_long",
    REPORT.replace("is not there", "is not there: `sum(prices) * (0.9 if sum(prices)`"): "quotes_fix",
    REPORT.replace("is not there", "is not there: `return max(prices) * len(prices)`"): "quotes_fix",
    REPORT.replace("is not there", "is not there (swap_the_call)"): "names_strategy",
    REPORT.replace("is not there", "is not there, as after Remove_Loop"): "names_strategy",
    REPORT.replace("is not there", "is not there (lm_modify)"): "names_strategy",
    REPORT.replace("is not there", "is not there; a procedural matter"): "names_strategy",
    REPORT.replace("is not there", "is not there; see shop.procedural__0000000000"): "names_strategy",
    REPORT.replace("is not there", "is not there: tests/test_cart.py::test_empty_cart fails"): "names_test",
    REPORT.replace("is not there", "is not there: see test_stock.py"): "names_test",
    REPORT.replace("is not there", "is not there. The bug was recently introduced"): "says_injected",
    REPORT.replace("is not there", "is not there: somebody injected a subtle error"): "says_injected",
    REPORT.replace("is not there", "is not there: it is deliberately broken"): "says_injected",
    REPORT.replace("is not there", "is not there, broken on purpose"): "says_injected",
    REPORT.replace("is not there", "is not there since the patch"): "says_injected",
    REPORT.replace("is not there", "is not there: a mutation"): "says_injected",
    without_code(): "no_reproduction",
    REPORT.replace("```python", "```"): "no_reproduction",
    REPORT.replace("```python", "```js"): "no_reproduction",
    REPORT.replace("\n```\n", "\n"): "no_reproduction",
    REPORT.replace(CODE, ""): "no_reproduction",
}


@pytest.mark.parametrize(("answer", "reason"), FAULTY.items(), ids=[f"{n}-{r}" for n, r in enumerate(FAULTY.values())])
def test_a_fault_is_told_once_and_then_the_tests_mode_writes(answer, reason):
    found, model, ran = told(answer, REPORT)
    assert (found.mode, found.cost_usd, ran) == ("lm", 0.5, [CODE])
    first, second = model.requests
    assert second.messages[:2] == first.messages
    assert [message["role"] for message in second.messages[2:]] == ["assistant", "user"]
    assert WORDS[reason] in second.messages[3]["content"]
    assert len(second.messages[2]["content"]) <= 8100
    found, model, ran = told(answer, answer)
    assert (found.mode, len(model.requests), ran) == (f"tests: lm: {reason}", 2, [])
    assert found.text == write(task(), "tests", Materials(FILES, LANGUAGE)).text


@pytest.mark.parametrize("reason", ["fails_without_bug", "hangs_without_bug", "passes_with_bug", "reproduction_varies"])
def test_a_reproduction_that_shows_nothing_is_told_with_what_it_printed(reason):
    bad = Trial(reason, "NameError: name 'totl' is not defined")
    found, model, ran = told(REPORT, REPORT, trials=[bad, Trial()])
    assert (found.mode, ran) == ("lm", [CODE, CODE])
    said = model.requests[1].messages[3]["content"]
    assert WORDS[reason] in said
    assert "NameError: name 'totl'" in said
    assert told(REPORT, REPORT, trials=[bad, bad])[0].mode == f"tests: lm: {reason}"


@pytest.mark.parametrize("reason", ["sandbox_died", "patch_does_not_apply"])
def test_what_no_other_answer_would_change_is_not_asked_for_again(reason):
    found, model, _ = told(REPORT, trials=[Trial(reason)])
    assert (found.mode, len(model.requests)) == (f"tests: lm: {reason}", 1)


def test_every_reason_of_a_fault_has_words_and_is_one_word():
    assert {*FAULTY.values()} <= WORDS.keys()
    assert not WORDS.keys() & LM_REASONS
    assert all(reason.replace("_", "").isalpha() for reason in (*WORDS, *LM_REASONS))
    assert Fault("too_short").words().endswith("Write the whole report again.")


def test_an_answer_that_was_cut_off_is_none():
    cut = completion(REPORT, finish_reason="length")
    assert told(cut, cut)[0].mode == "tests: lm: too_long"


@pytest.mark.parametrize(
    "answer",
    [
        f"```markdown\n{REPORT}```",
        f"<think>Hm, the bug was injected. ```python\nx\n```</think>\n\n{REPORT}",
        REPORT.replace("# Discount", "**Title:** Discount"),
        REPORT.replace("# Discount is missing for a large order", "## **Discount is missing for a large order** ##"),
        REPORT.replace("\n", "\r\n"),
        REPORT.replace("large order", "lar\u200bge\u202e order\x1b[31m"),
        REPORT.replace("```python", "~~~~ Py").replace("\n```\n", "\n~~~~\n"),
        REPORT.replace("```python", "```{.python}"),
    ],
)
def test_forms_that_models_choose_are_read(answer):
    found, _, ran = told(answer)
    assert (found.mode, ran) == ("lm", [CODE])
    assert found.text.startswith("Discount is missing for a large order\n\nI add up the prices")
    assert "\u200b" not in found.text
    assert "\r" not in found.text


@pytest.mark.parametrize(
    "words",
    [
        "the total is 120 and no patch release helps",
        "an issue that I met when I inserted the second item",
        "is this intentional?",
        "it differs from the documented default change",
        "this was fine before, and an error is raised since",
    ],
)
def test_ordinary_words_of_a_report_tell_nothing(words):
    assert told(REPORT.replace("is not there", words))[0].mode == "lm"


def test_a_library_about_patches_may_speak_of_them():
    files = {"tests/test_cart.py": FILES["tests/test_cart.py"].replace(b"prices = ", b"patch = prices = ")}
    author = Author(
        Model(REPORT.replace("is not there", "is not there in the patch")), from_lm.prompt(), lambda *_: Trial()
    )
    assert write(task(), "lm", Materials(files, LANGUAGE, 0, author)).mode == "lm"


@pytest.mark.parametrize(
    "error",
    [
        LMError("wrong key", status=401),
        LMError("no such model", status=404),
        LMError("moved", status=301),
        LMError("no quota", status=429),
        LMError("nobody answers", retryable=True),
        BudgetExhausted("all is spent"),
    ],
)
def test_what_every_later_request_meets_too_ends_the_job(error):
    with pytest.raises(type(error), match=error.message):
        told(error)


@pytest.mark.parametrize(
    "error",
    [
        LMError("too many requests", status=429, retryable=True),
        LMError("down", status=503, retryable=True),
        LMError("garbage", status=200, retryable=True),
        LMError("bad request", status=400),
    ],
)
def test_another_error_of_the_model_falls_back(error):
    found, _, _ = told(error)
    assert (found.mode, found.cost_usd) == ("tests: lm: lm_error", 0.0)
    found, _, _ = told("", error)
    assert (found.mode, found.cost_usd) == ("tests: lm: lm_error", 0.25)


def test_a_request_that_is_too_long_falls_back_with_what_was_wrong_before():
    assert told(ContextExceeded("long", status=400))[0].mode == "tests: lm: context_exceeded"
    assert told(without_code(), ContextExceeded("long", status=400))[0].mode == "tests: lm: no_reproduction"


def test_costs_are_summed_and_unknown_ones_are_unknown():
    assert told(completion(REPORT, 0.5, cached=True))[0].cost_usd == 0.0
    assert told(completion("", 0.5), completion(REPORT, 0.25))[0].cost_usd == 0.75
    assert told(completion("", None), completion(REPORT, 0.25))[0].cost_usd is None


def test_a_task_without_a_source_of_its_test_is_written_all_the_same():
    author = Author(Model(REPORT), from_lm.prompt(), lambda *_: Trial())
    assert write(task(), "lm", Materials({}, LANGUAGE, 0, author)).mode == "lm"


def test_the_gold_patch_is_never_in_a_statement():
    quoted = "`total` should be `sum(prices) * (0.9 if sum(prices) > 100 else 1)`"
    found, _, _ = told(*[REPORT.replace("is not there", quoted)] * 2)
    assert "0.9" not in found.text
    assert "0.9" in GOLD
