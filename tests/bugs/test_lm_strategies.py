"""lm_modify and lm_rewrite with a model that answers by rule: order, limits, errors, further turns."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from samples import ABACUS

from swesmith_gym import languages
from swesmith_gym.bugs.base import Ground, Result, Strategy
from swesmith_gym.bugs.drawing import Limits
from swesmith_gym.bugs.lm_modify import LmModify
from swesmith_gym.bugs.lm_rewrite import LmRewrite
from swesmith_gym.bugs.templates import load
from swesmith_gym.errors import BudgetExhausted, ContextExceeded, InputError, LMError
from swesmith_gym.lm.base import Completion, Request
from swesmith_gym.patch import apply
from swesmith_gym.records import REJECTION_REASONS, BugCandidate, RejectedCandidate

FILES = {path.relative_to(ABACUS).as_posix(): path.read_bytes() for path in sorted(ABACUS.rglob("*.py"))}
FILES["src/abacus/shapes.py"] = b'''\
class Box:
    """A box."""

    def __init__(self, width, height):
        self.width = width
        self.height = height

    def holds(self, other):
        """Whether another box fits."""
        if other.width > self.width:
            return False
        return other.height <= self.height
'''
GROUND = Ground("abacus", FILES, languages.get("python"), lambda path: not path.startswith("tests/"))
Answer = Callable[[Request], str | LMError]
LOOSE = Limits(least_lines=2)


@dataclass
class Fake:
    """Answers by a function of the request, and keeps what it was asked in order of arrival."""

    answer: Answer
    model: str = "fake"
    cost_usd: float | None = 0.5
    finish_reason: str = "stop"
    asked: list[Request] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def complete(self, request: Request) -> Completion:
        with self.lock:
            self.asked.append(request)
        found = self.answer(request)
        if isinstance(found, LMError):
            raise found
        return Completion(found, self.model, self.finish_reason, 1, 1, self.cost_usd)


def code(request: Request) -> str:
    """The last block of code of the question."""
    question = next(each["content"] for each in request.messages if each["role"] == "user")
    return re.findall(r"```python\n(.*?)```", question, re.DOTALL)[-1]


def reversed_comparison(request: Request) -> str:
    """A bug in the first comparison, another one for each sample."""
    more = f" + {request.sample}" if request.sample else ""
    text = re.sub(r" (<=|<|>) (\w[\w.]*(?:\(\w+\))?)", rf" != \2{more}", code(request), count=1)
    return f"```python\n{text}```\nExplanation: another comparison"


def implemented(request: Request) -> str:
    return "```python\n" + code(request).replace("...", "return None") + "```"


def made(strategy: Strategy, **options: Any) -> list[Result]:
    return list(strategy.candidates(GROUND, **options))


def kept(results: list[Result]) -> list[BugCandidate]:
    return [each for each in results if isinstance(each, BugCandidate)]


def refused(results: list[Result]) -> list[RejectedCandidate]:
    return [each for each in results if isinstance(each, RejectedCandidate)]


def test_lm_modify_shows_entities_whole_and_gives_candidates() -> None:
    fake = Fake(reversed_comparison)
    results = made(LmModify(lm=fake, variants=("lm_modify",)), seed=3)
    assert {each.temperature for each in fake.asked} == {1.0}
    assert all(each.messages[0]["role"] == "system" for each in fake.asked)
    for each in kept(results):
        assert (each.repo, each.strategy, each.operator, each.model) == ("abacus", "lm_modify", "lm_modify", "fake")
        assert (each.cost_usd, each.seed, each.explanation) == (0.5, 3, "another comparison")
        assert re.fullmatch("[0-9a-f]{16}", each.candidate_id)
        ((path, after),) = apply(each.bug_patch, FILES.get).items()
        assert after is not None
        assert b"!=" in after
        assert path.startswith("src/")
    assert len(kept(results)) >= 3
    assert {each.reason for each in refused(results)} <= {"unchanged", "duplicate"}


def test_each_variant_is_for_its_kind_of_entity() -> None:
    fake = Fake(reversed_comparison)
    results = made(LmModify(lm=fake, limits=LOOSE))
    seen = {(each.operator, "class Box" in each.bug_patch.split("\n@@", 1)[0]) for each in kept(results)}
    assert {operator for operator, _ in seen} >= {"lm_modify", "func_fun"}
    about_classes = [each for each in fake.asked if code(each).startswith("class")]
    assert {"class_basic", "lm_modify"} == {
        name for name in ("class_basic", "func_fun", "lm_modify") for each in about_classes if _uses(each, name)
    }
    assert not [each for each in fake.asked if _uses(each, "class_basic") and not code(each).startswith("class")]


def _uses(request: Request, name: str) -> bool:
    return request.messages[0]["content"].strip() == load(name).system.strip()


def test_lm_rewrite_never_shows_the_body() -> None:
    fake = Fake(implemented)
    results = made(LmRewrite(lm=fake, limits=LOOSE))
    assert {each.temperature for each in fake.asked} == {0.0}
    assert {each.operator for each in results if isinstance(each, BugCandidate)} == {"lm_rewrite"}
    clamp = next(each for each in fake.asked if code(each).startswith("def clamp"))
    text = "".join(each["content"] for each in clamp.messages)
    assert "The value, moved into the range." in text
    assert "return high" not in text
    assert "return total(values) / len(values)" in text, "the rest of the file is there"
    (bug,) = [each for each in kept(results) if "return high" in each.bug_patch]
    assert "+    return None" in bug.bug_patch
    assert '-    """' not in bug.bug_patch


def test_a_seed_gives_the_same_requests_and_results_however_many_are_in_flight() -> None:
    def run(concurrency: int, seed: int, **options: Any) -> tuple[list[Request], list[Result]]:
        fake = Fake(reversed_comparison)
        found = made(LmModify(lm=fake, limits=LOOSE, concurrency=concurrency, **options), limit=7, seed=seed)
        return sorted(fake.asked, key=repr), found

    for options in ({}, {"rounds": 2}, {"most_calls": 5}, {"rounds": 3, "most_calls": 7}):
        alone = run(1, 0, **options)
        assert run(4, 0, **options) == alone
        assert run(1, 0, **options) == alone
    assert run(1, 1)[1] != run(1, 0)[1]


def test_entities_are_asked_again_with_another_sample_up_to_the_limit() -> None:
    fake = Fake(reversed_comparison)
    results = made(LmModify(lm=fake, variants=("func_fun",)), limit=9)
    assert len(kept(results)) == 9
    assert {each.sample for each in fake.asked} >= {0, 1}
    first = [code(each) for each in fake.asked if each.sample == 0]
    assert [code(each) for each in fake.asked if each.sample == 1] == first[: len(fake.asked) - len(first)][
        : len(first)
    ]
    assert made(LmModify(lm=fake), limit=0) == []


def test_files_take_turns() -> None:
    fake = Fake(reversed_comparison)
    made(LmModify(lm=fake, variants=("lm_modify",), limits=LOOSE))
    paths = [re.search(r"`(src/\S+)`", each.messages[-1]["content"]).group(1) for each in fake.asked]  # type: ignore[union-attr]
    assert len(set(paths[:3])) == 3


def test_a_turn_that_gives_nothing_is_the_last_and_temperature_0_asks_once() -> None:
    useless = Fake(lambda request: f"```python\n{code(request)}```")
    results = made(LmModify(lm=useless, variants=("lm_modify",)), limit=5)
    assert {each.sample for each in useless.asked} == {0}
    assert {each.reason for each in refused(results)} == {"unchanged"}
    fake = Fake(implemented)
    made(LmRewrite(lm=fake), limit=1000)
    assert len({repr(each.messages) for each in fake.asked}) == len(fake.asked)


def test_a_prompt_file_may_set_the_temperature(tmp_path: Path) -> None:
    text = 'temperature = 0\nuser = "```python\\n$code\\n```"\n'
    (tmp_path / "mine.toml").write_text(text)
    fake = Fake(reversed_comparison)
    found = made(LmModify(lm=fake, prompts=tmp_path, variants=("mine", "lm_modify"), limits=LOOSE), limit=40)
    own = [each for each in fake.asked if len(each.messages) == 1]
    assert {each.temperature for each in own} == {0.0}
    assert {each.temperature for each in fake.asked if each not in own} == {1.0}
    assert {each.sample for each in own} == {0}, "equal questions at temperature 0 get equal answers"
    assert found


def test_most_calls_counts_every_round() -> None:
    fake = Fake(lambda request: "no")
    results = made(LmModify(lm=fake, limits=LOOSE, most_calls=5, rounds=2), limit=100)
    assert len(fake.asked) == 5
    assert [each.reason for each in refused(results)] == ["no_code"] * 3


def test_limits_choose_entities() -> None:
    fake = Fake(reversed_comparison)
    made(LmModify(lm=fake, limits=Limits(tags=frozenset({"loop"}), most_complexity=4)))
    assert {code(each).split("(")[0] for each in fake.asked} == {"def total"}
    assert made(LmModify(lm=fake, limits=Limits(least_lines=500))) == []


def test_a_prompt_takes_the_longest_context_that_fits() -> None:
    long = {
        **FILES,
        "src/abacus/numbers.py": FILES["src/abacus/numbers.py"] + b"\n\ndef x():\n" + b"    y = 1\n" * 2000,
    }
    ground = replace(GROUND, files=long)

    def lengths(most_chars: int) -> tuple[list[int], list[Result]]:
        fake = Fake(implemented)
        limits = Limits(tags=frozenset({"loop"}), most_chars=most_chars)
        found = list(LmRewrite(lm=fake, limits=limits).candidates(ground))
        return [sum(len(m["content"]) for m in each.messages) for each in fake.asked], found

    whole, skeleton = (lengths(most)[0][0] for most in (60_000, 10_000))
    alone = lengths(skeleton - 1)[0][0]
    assert whole > 20_000 > skeleton > alone
    asked, (found,) = lengths(300)
    assert asked == []
    assert isinstance(found, RejectedCandidate)
    assert found.reason == "too_large"
    assert found.candidate.bug_patch == ""
    assert "300 characters" in found.detail


def test_a_model_that_reads_less_is_asked_with_less() -> None:
    def answer(request: Request) -> str | LMError:
        if (
            "def average" in request.messages[-1]["content"]
            and "return total(values)" in request.messages[-1]["content"]
        ):
            return ContextExceeded("too long", status=400)
        return implemented(request)

    fake = Fake(answer)
    results = made(LmRewrite(lm=fake, limits=Limits(tags=frozenset({"loop"}))))
    assert len(fake.asked) == 2
    assert len(kept(results)) == 1
    none = made(LmRewrite(lm=Fake(lambda request: ContextExceeded("too long")), limits=LOOSE))
    assert {each.reason for each in refused(none)} == {"too_large"}


def test_ids_of_what_has_no_patch_differ() -> None:
    results = refused(made(LmModify(lm=Fake(lambda request: "no"), limits=LOOSE)))
    assert {each.candidate.bug_patch for each in results} == {""}
    assert len({each.candidate.candidate_id for each in results}) == len(results) > 3


def test_an_error_of_one_request_is_a_row_and_of_three_in_a_row_the_end() -> None:
    def sometimes(request: Request) -> str | LMError:
        return (
            LMError("garbage", status=500, retryable=True) if "clamp" in code(request) else reversed_comparison(request)
        )

    results = made(LmModify(lm=Fake(sometimes), variants=("lm_modify",)))
    (failed,) = [each for each in refused(results) if each.reason == "lm_error"]
    assert failed.detail == "src/abacus/numbers.py: clamp: garbage"
    assert kept(results)
    fake = Fake(lambda request: LMError("busy", status=500, retryable=True))
    with pytest.raises(LMError, match="busy"):
        made(LmModify(lm=fake, limits=LOOSE))
    assert len(fake.asked) == 3


@pytest.mark.parametrize(
    "error", [LMError("bad key", status=401), LMError("no endpoint", retryable=True), LMError("no quota", status=429)]
)
def test_an_error_that_all_requests_will_meet_ends_the_run_at_once(error: LMError) -> None:
    fake = Fake(lambda request: error)
    with pytest.raises(LMError) as caught:
        made(LmModify(lm=fake, limits=LOOSE))
    assert caught.value is error
    assert len(fake.asked) == 1


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_budget_ends_the_run_after_what_was_finished(concurrency: int) -> None:
    counted = iter(range(100))
    lock = threading.Lock()

    def answer(request: Request) -> str | LMError:
        with lock:
            number = next(counted)
        return BudgetExhausted("nothing left") if number >= 2 else reversed_comparison(request)

    found: list[Result] = []
    with pytest.raises(BudgetExhausted, match="nothing left"):
        found.extend(LmModify(lm=Fake(answer), concurrency=concurrency, limits=LOOSE).candidates(GROUND))
    assert len(found) == 2


def test_a_budget_that_ends_in_a_further_turn_loses_no_answer() -> None:
    def answer(request: Request) -> str | LMError:
        return "no" if len(request.messages) == 2 else BudgetExhausted("nothing left")

    strategy = LmModify(lm=Fake(answer), rounds=3)
    stream = strategy.candidates(GROUND)
    first = next(stream)
    assert isinstance(first, RejectedCandidate)
    assert (first.reason, first.candidate.cost_usd) == ("no_code", 0.5)
    with pytest.raises(BudgetExhausted):
        next(stream)


def test_nothing_is_asked_before_it_is_wanted() -> None:
    fake = Fake(reversed_comparison)
    stream = LmModify(lm=fake).candidates(GROUND)
    assert fake.asked == []
    next(stream)
    assert len(fake.asked) == 1
    stream.close()  # type: ignore[attr-defined]
    assert len(fake.asked) == 1


def test_an_answer_that_is_no_use_goes_back_with_the_reason() -> None:
    def answer(request: Request) -> str:
        return "no" if len(request.messages) == 2 else reversed_comparison(request)

    fake = Fake(answer)
    results = made(LmModify(lm=fake, rounds=3), limit=1)
    assert len(fake.asked) == 2
    assert [each["role"] for each in fake.asked[1].messages] == ["system", "user", "assistant", "user"]
    assert fake.asked[1].messages[2]["content"] == "no"
    assert "it holds no code" in fake.asked[1].messages[3]["content"]
    (bug,) = kept(results)
    assert bug.cost_usd == 1.0


def test_a_candidate_that_is_no_task_goes_back_until_it_is() -> None:
    judged: list[str] = []

    def judge(candidate: BugCandidate) -> str:
        judged.append(candidate.bug_patch)
        return "" if "+ 1" in candidate.bug_patch else "no test\nfails."

    def answer(request: Request) -> str:
        return reversed_comparison(replace(request, sample=0 if len(request.messages) == 2 else 1))

    fake = Fake(answer)
    (bug,) = kept(made(LmModify(lm=fake, rounds=4, judge=judge), limit=1))
    assert "+ 1" in bug.bug_patch
    assert len(judged) == len(fake.asked) == 2
    assert "no test fails." in fake.asked[1].messages[-1]["content"]


def test_the_last_answer_counts_and_is_not_judged() -> None:
    judged: list[BugCandidate] = []

    def judge(candidate: BugCandidate) -> str:
        judged.append(candidate)
        return "no test fails."

    fake = Fake(reversed_comparison)
    (bug,) = kept(made(LmModify(lm=fake, rounds=2, judge=judge), limit=1))
    assert (len(judged), len(fake.asked), bug.cost_usd) == (1, 2, 1.0)
    results = refused(made(LmModify(lm=Fake(lambda request: "no"), rounds=2, judge=judge), limit=1))
    assert results[0].detail.endswith("(answer 2 of 2 at most)")
    alone = Fake(reversed_comparison)
    made(LmModify(lm=alone, judge=lambda candidate: pytest.fail("nobody would hear it")), limit=1)
    assert len(alone.asked) == 1


def test_an_unknown_cost_stays_unknown() -> None:
    def answer(request: Request) -> str:
        return "no" if len(request.messages) == 2 else reversed_comparison(request)

    (bug,) = kept(made(LmModify(lm=Fake(answer, cost_usd=None), rounds=2), limit=1))
    assert bug.cost_usd is None


def test_an_answer_that_was_cut_off_says_so() -> None:
    cut = Fake(lambda request: f"```python\n{code(request)[:40]}", finish_reason="length")
    results = refused(made(LmModify(lm=cut)))
    assert {each.reason for each in results} == {"syntax_error"}
    assert all(each.detail.endswith("the answer was cut off") for each in results)


@pytest.mark.parametrize(
    "text", ["\0" * 300, "\ud800", "```" * 50_000, "x" * 200_000, "(" * 200_000, "```python\n" * 20_000]
)
def test_odd_answers_are_rows(text: str) -> None:
    results = made(LmModify(lm=Fake(lambda request: text), rounds=2, limits=LOOSE), limit=3)
    assert results
    assert all(isinstance(each, RejectedCandidate) and each.reason in REJECTION_REASONS for each in results)


def test_a_users_prompt_comes_before_ours(tmp_path: Path) -> None:
    (tmp_path / "lm_modify.toml").write_text('user = "Spoil $$1 of $name:\\n```python\\n$code\\n```"\n')
    (tmp_path / "mine.toml").write_text('kinds = ["class"]\nuser = "```python\\n$code\\n```"\n')
    fake = Fake(reversed_comparison)
    made(LmModify(lm=fake, variants=("lm_modify", "mine"), prompts=tmp_path), limit=30)
    questions = [each.messages for each in fake.asked]
    assert all(len(each) == 1 for each in questions), "there is no system message"
    assert any(each[0]["content"].startswith("Spoil $1 of total:\n") for each in questions)
    assert any(each[0]["content"].startswith("```python\nclass Box:") for each in questions)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("user = ", "not TOML"),
        ('system = "x"', "the field `user` is missing"),
        ('user = "$code"\nagain = "$context"', r"`again`, line 1: unknown placeholder \$context; known are \$code"),
        ('user = "hello"', r"`user` lacks what it is about: put \$code or \$context into it"),
        ('user = "$code"\nkinds = ["module"]', "`kinds` must be a list of 'function' and 'class'"),
    ],
)
def test_a_bad_prompt_is_one_clear_line_at_once(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "lm_modify.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=says) as caught:
        LmModify(lm=Fake(implemented), prompts=tmp_path).candidates(GROUND)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"variants": ("none",)},
            "no prompt 'none'; there are class_basic, func_fun, lm_modify, lm_rewrite",
        ),
        ({"variants": ("../x",)}, "not a name of a prompt"),
        ({"variants": ()}, "no prompt was chosen"),
        ({"prompts": Path("nowhere")}, "nowhere: no such folder"),
        ({"rounds": 0}, "`rounds` must be 1 or more"),
        ({"concurrency": 0}, "`concurrency` must be 1 or more"),
    ],
)
def test_bad_options_are_told_at_once(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        LmModify(lm=Fake(implemented), **options).candidates(GROUND)


@pytest.mark.parametrize("name", ["lm_modify", "func_fun", "class_basic", "lm_rewrite"])
def test_our_prompts_are_in_order(name: str) -> None:
    prompt = load(name)
    assert "$reason" in prompt.again
    assert prompt.wants_context == (name == "lm_rewrite")
