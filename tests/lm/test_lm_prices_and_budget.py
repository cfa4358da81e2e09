"""Prices, what is counted, and the budget that nothing may exceed."""

from __future__ import annotations

import contextlib
import threading
import tomllib
from pathlib import Path

import pytest
from lm.asking import ask

from swesmith_gym.errors import BudgetExhausted, InputError, LMError
from swesmith_gym.lm import Completion, Price, Request, ScriptedLM, Totals, parse_price
from swesmith_gym.lm.accounting import Account, MeteredLM
from swesmith_gym.lm.budget import Budget, BudgetedLM
from swesmith_gym.lm.prices import price_of, shipped_prices

PRICE = Price(2.0, 10.0)


def made(text: str = "x", tokens_in: int | None = 100, tokens_out: int | None = 10, **fields: object) -> Completion:
    return Completion(text, "m", "stop", tokens_in, tokens_out, **{"cost_usd": None, **fields})  # type: ignore[arg-type]


def test_a_price_is_per_million_tokens() -> None:
    assert PRICE.cost(1_000_000, 500_000) == 7.0
    assert PRICE.cost(0, 0) == 0.0
    assert PRICE.cost(None, 5) is PRICE.cost(5, None) is None


def test_the_worst_case_counts_each_byte_and_the_whole_answer() -> None:
    one = ask("abc", max_tokens=1000)
    assert PRICE.worst(one) >= PRICE.cost(7, 1000)  # type: ignore[operator]
    assert PRICE.worst(ask("ä" * 100)) - PRICE.worst(ask("a" * 100)) == pytest.approx(100 * 2 / 1e6)
    assert PRICE.worst(ask("\udcff")) > 0


def test_the_users_price_comes_before_the_shipped_one(bare: Path) -> None:
    assert price_of("gpt-4.1-mini") == Price(0.4, 1.6)
    bare.mkdir()
    (bare / "prices.toml").write_text('["gpt-4.1-mini"]\ninput = 1\noutput = 2.5\n[mine]\ninput = 0\noutput = 0\n')
    assert price_of("gpt-4.1-mini") == Price(1.0, 2.5)
    assert price_of("mine") == Price(0.0, 0.0)
    assert price_of("gpt-4o") == Price(2.5, 10.0)


@pytest.mark.parametrize("model", ["", "gpt-4", "GPT-4O", "gpt-4o-2024-05-13", "no-such-model"])
def test_what_is_not_in_the_list_is_unknown_and_not_free(model: str) -> None:
    assert price_of(model) is None


def test_the_shipped_list_says_where_it_is_from() -> None:
    path = Path(__file__).parents[2] / "swesmith_gym" / "lm" / "prices.toml"
    head = path.read_text().split("[")[0]
    assert "https://" in head
    assert "2026" in head
    assert set(tomllib.loads(path.read_text())) == set(shipped_prices())
    assert all(0 < price.input_usd < price.output_usd for price in shipped_prices().values())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[", "not TOML"),
        ("x = 1", "write"),
        ("[x]\ninput = 1", "write"),
        ("[x]\ninput = 1\noutput = -1", "-1 is no amount"),
        ("[x]\ninput = true\noutput = 1", "True is no amount"),
        ("[x]\ninput = nan\noutput = 1", "nan is no amount"),
        ('[x]\ninput = "1"\noutput = 1', "'1' is no amount"),
        ("\x80", "cannot be read"),
    ],
)
def test_a_damaged_list_of_the_user_is_named(bare: Path, text: str, says: str) -> None:
    bare.mkdir()
    (bare / "prices.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=says) as caught:
        price_of("x")
    assert str(bare / "prices.toml") in str(caught.value)


def test_a_price_on_the_command_line() -> None:
    assert parse_price("0.15, 0.6") == Price(0.15, 0.6)
    for text in ("", "1", "1,2,3", "a,b", "-1,2", "nan,1", "inf,1"):
        with pytest.raises(InputError, match="is no price: give US dollars per million tokens"):
            parse_price(text)


def metered(*answers: Completion | LMError, price: Price | None = PRICE) -> tuple[MeteredLM, Account]:
    account = Account()
    return MeteredLM(ScriptedLM(answers), price, account), account


def test_calls_tokens_and_cost_add_up() -> None:
    model, account = metered(made(), LMError("x", retryable=True), made(tokens_in=1000, tokens_out=0))
    assert model.complete(ask()).cost_usd == pytest.approx(0.0003)
    with pytest.raises(LMError):
        model.complete(ask())
    model.complete(ask())
    account.answered(made(cached=True, cost_usd=9.0))
    totals = account.totals()
    assert totals == Totals(3, 1, 1, 1100, 10, pytest.approx(0.0023))
    assert str(totals) == "3 calls (1 cached, 1 failed attempts), 1100 tokens in, 10 out, $0.002300"


@pytest.mark.parametrize(
    ("answer", "price", "wanted"),
    [
        (made(), None, Totals(2, 0, 0, 200, 20, None)),
        (made(tokens_out=None), PRICE, Totals(2, 0, 0, 200, None, None)),
        (made(tokens_in=None), PRICE, Totals(2, 0, 0, None, 20, None)),
    ],
)
def test_what_is_unknown_once_is_unknown_in_the_sum(answer: Completion, price: Price | None, wanted: Totals) -> None:
    model, account = metered(answer, made(), price=price)
    assert model.complete(ask()).cost_usd is None
    model.complete(ask())
    assert account.totals() == wanted
    assert "cost unknown" in str(account.totals())


def test_a_free_model_costs_nothing_which_is_known() -> None:
    model, account = metered(made(), price=Price(0, 0))
    assert model.complete(ask()).cost_usd == 0.0
    assert account.totals().cost_usd == 0.0


WORST = PRICE.worst(ask())


def budgeted(limit_usd: float, *answers: Completion | LMError) -> tuple[BudgetedLM, ScriptedLM, Budget]:
    script, budget = ScriptedLM(answers or [made(cost_usd=0.001)] * 100), Budget(limit_usd)
    return BudgetedLM(script, budget, PRICE), script, budget


def test_a_request_is_sent_only_if_its_worst_case_fits() -> None:
    model, script, budget = budgeted(WORST * 2 - 1e-6, made(cost_usd=WORST / 2), made(cost_usd=WORST))
    model.complete(ask())
    model.complete(ask())
    with pytest.raises(BudgetExhausted, match="raise --max-cost-usd and run the same command again") as caught:
        model.complete(ask())
    assert not caught.value.retryable
    assert len(script.requests) == 2
    assert budget.spent_usd == pytest.approx(WORST * 1.5)


def test_a_budget_of_exactly_the_worst_case_is_enough() -> None:
    model, _, budget = budgeted(WORST, made(cost_usd=WORST))
    model.complete(ask())
    assert budget.spent_usd == pytest.approx(WORST)


def test_a_budget_of_nothing_sends_nothing_even_where_it_is_free() -> None:
    script = ScriptedLM([])
    for price in (PRICE, Price(0, 0), None):
        with pytest.raises(BudgetExhausted, match=r"a budget of \$0 sends nothing"):
            BudgetedLM(script, Budget(0.0), price).complete(ask())
    assert script.requests == ()


@pytest.mark.parametrize("limit", [-1.0, float("nan"), float("inf")])
def test_what_is_no_budget(limit: float) -> None:
    with pytest.raises(InputError, match="--max-cost-usd"):
        Budget(limit)


@pytest.mark.parametrize(
    ("answer", "spent"),
    [
        (LMError("refused", status=500), 0.0),
        (LMError("rubbish", status=200, may_cost=True), WORST),
        (made(cost_usd=None), WORST),
        (made(cost_usd=0.0), 0.0),
    ],
)
def test_what_may_have_been_charged_counts_at_its_worst(answer: Completion | LMError, spent: float) -> None:
    model, _, budget = budgeted(1.0, answer)
    with contextlib.suppress(LMError):
        model.complete(ask())
    assert budget.spent_usd == pytest.approx(spent)


def test_a_stop_in_the_middle_counts_at_its_worst() -> None:
    def stopped(request: Request) -> Completion:
        raise KeyboardInterrupt

    budget = Budget(1.0)
    with pytest.raises(KeyboardInterrupt):
        BudgetedLM(ScriptedLM(stopped), budget, PRICE).complete(ask())
    assert budget.spent_usd == pytest.approx(WORST)


def test_requests_in_flight_are_set_aside_and_waited_for() -> None:
    """Two fit by their worst case, and four by what they cost: the third waits, and none is refused."""
    sent, go = threading.Semaphore(0), threading.Semaphore(0)
    most, now, lock = 0, 0, threading.Lock()

    class Slow:
        model = "slow"

        def complete(self, request: Request) -> Completion:
            nonlocal most, now
            with lock:
                now += 1
                most = max(most, now)
            sent.release()
            assert go.acquire(timeout=30)
            with lock:
                now -= 1
            return made(cost_usd=WORST / 10)

    budget = Budget(WORST * 2.5)
    model = BudgetedLM(Slow(), budget, PRICE)
    threads = [threading.Thread(target=model.complete, args=(ask(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert sent.acquire(timeout=30)
        go.release()
    for thread in threads:
        thread.join(30)
    assert most <= 2
    assert budget.spent_usd == pytest.approx(WORST * 0.4)


def test_many_threads_never_spend_more_than_the_budget() -> None:
    budget = Budget(0.01)
    model = BudgetedLM(ScriptedLM(lambda _: made(cost_usd=WORST)), budget, PRICE)
    refused = []

    def work() -> None:
        for _ in range(20):
            try:
                model.complete(ask())
            except BudgetExhausted as error:
                refused.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.01 - WORST < budget.spent_usd <= 0.01
    assert len(refused) == 160 - round(budget.spent_usd / WORST)
