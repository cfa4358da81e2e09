"""All of it together, as a command uses it, against the endpoint on loopback."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pytest
import typer
from lm import endpoint as served
from lm.asking import AT_ONCE, ask, settings
from lm.endpoint import Endpoint, refusal, too_many
from typer.testing import CliRunner

import swesmith_gym
from swesmith_gym.cli import lm_options
from swesmith_gym.errors import BudgetExhausted, ContextExceeded, InputError, LMError
from swesmith_gym.lm import Connection, LMSettings, Price, RetryPolicy, ScriptedLM, Totals, connect

PRICE = Price(1.0, 2.0)


def test_a_storm_is_weathered_and_paid_for_once(endpoint: Endpoint) -> None:
    endpoint.fail(*[too_many("0")] * 3, refusal(500), served.GARBAGE, served.HALF_JSON)
    policy = RetryPolicy(attempts=9, first_wait_s=0.0)
    with connect(settings(endpoint.url, retries=policy, price=PRICE)) as model:
        completion = model.complete(ask())
        assert (completion.text, completion.cost_usd) == ("echo: hello", pytest.approx(20 / 1e6))
        assert model.complete(ask()) == replace(completion, cached=True)
        assert model.totals() == Totals(2, 1, 6, 10, 5, pytest.approx(20 / 1e6))
    assert endpoint.calls == 7


def test_what_does_not_pass_ends_after_a_bounded_number_of_requests(endpoint: Endpoint) -> None:
    for fault, calls in ((too_many("0"), 6), (served.GARBAGE, 3), (served.LONG, 3), (refusal(401), 1)):
        endpoint.always = fault
        before = endpoint.calls
        with pytest.raises(LMError):
            connect(settings(endpoint.url)).complete(ask())
        assert endpoint.calls - before == calls


def test_an_endpoint_that_is_back_after_hanging(endpoint: Endpoint) -> None:
    endpoint.fail(served.HANG)
    assert connect(settings(endpoint.url, timeout_s=0.3)).complete(ask()).text == "echo: hello"


def test_a_prompt_that_is_too_long_is_sent_once(endpoint: Endpoint) -> None:
    endpoint.always = served.context_exceeded()
    with pytest.raises(ContextExceeded):
        connect(settings(endpoint.url)).complete(ask())
    assert endpoint.calls == 1


def test_the_same_answers_from_another_address(endpoint: Endpoint) -> None:
    connect(settings(endpoint.url)).complete(ask())
    with Endpoint() as other:
        assert connect(settings(other.url)).complete(ask()).text == "echo: hello"
        assert other.calls == 0


def test_no_more_at_once_than_allowed(endpoint: Endpoint) -> None:
    arrived = threading.Barrier(2)

    def slow(messages: served.Messages) -> str:
        arrived.wait(30)
        return "x"

    endpoint.reply = slow
    model = connect(settings(endpoint.url, concurrency=2))
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: model.complete(ask(str(n))), range(6)))
    assert endpoint.most_at_once == 2


def test_the_environment_names_endpoint_model_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with Endpoint(key="sk-1") as endpoint:
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
        monkeypatch.setenv("SWESMITH_GYM_LM_MODEL", "tiny")
        with swesmith_gym.connect() as model:
            assert model.complete(ask()).text == "an answer"
            assert model.model == "tiny"
        with pytest.raises(LMError, match="wants a key"):
            connect(LMSettings(api_key_env="")).complete(ask("other"))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"model": None}, r"no model is named: give --model NAME, or set \$SWESMITH_GYM_LM_MODEL"),
        ({"base_url": None}, r"no endpoint is named: give --base-url URL"),
        ({"base_url": "nowhere"}, "'nowhere' is no address"),
        ({"api_key_env": "NOT_SET"}, r"\$NOT_SET is not set"),
        ({"api_key_env": "sk-proj-12345"}, "takes the name of the variable that holds the key, not the key itself"),
        ({"max_cost_usd": 1.0}, "a budget needs a price, and none is known for 'tiny': give --price IN,OUT"),
        ({"max_cost_usd": -1.0, "price": PRICE}, "--max-cost-usd -1.0 is no amount"),
        ({"concurrency": 0}, "--lm-concurrency 0: give 1 or more"),
        ({"requests_per_minute": 0}, "--lm-requests-per-minute 0: give 1 or more"),
        ({"timeout_s": 0.0}, "--lm-timeout-s"),
        ({"timeout_s": float("nan")}, "--lm-timeout-s"),
    ],
    ids=str,
)
def test_bad_input_is_one_line_before_anything_is_sent(endpoint: Endpoint, given: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        connect(settings(endpoint.url, **given))
    assert len(str(caught.value).splitlines()) == 1
    assert "sk-proj" not in str(caught.value)
    assert endpoint.calls == 0


def test_a_key_of_openais_is_enough_for_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    with connect(LMSettings(model="gpt-4.1-mini", max_cost_usd=0.5)) as model:
        assert model.model == "gpt-4.1-mini"


def test_a_budget_stops_and_the_next_run_goes_on(endpoint: Endpoint) -> None:
    """Each costs 20 millionths, and may cost some 70: the budget ends the first run, the second pays for the rest."""
    requests = [ask(str(n), max_tokens=10) for n in range(10)]
    limited = settings(endpoint.url, price=PRICE, max_cost_usd=0.000_150)
    first = connect(limited)
    with pytest.raises(BudgetExhausted):
        list(map(first.complete, requests))
    answered = first.totals().calls
    assert 0 < answered < 10
    assert endpoint.calls == answered
    assert (first.totals().cost_usd or 0) <= 0.000_150
    second = connect(replace(limited, max_cost_usd=1.0))
    assert [second.complete(request).text for request in requests] == [f"echo: {n}" for n in range(10)]
    assert endpoint.calls == 10
    assert second.totals().cached == answered


def test_a_budget_of_0_still_gives_what_is_kept(endpoint: Endpoint) -> None:
    connect(settings(endpoint.url)).complete(ask("kept"))
    free = connect(settings(endpoint.url, max_cost_usd=0.0))
    assert free.complete(ask("kept")).cached
    with pytest.raises(BudgetExhausted, match=r"a budget of \$0 sends nothing"):
        free.complete(ask("new"))
    assert endpoint.calls == 1
    assert free.totals() == Totals(calls=1, cached=1)


def test_attempts_that_may_have_been_charged_use_up_the_budget(endpoint: Endpoint) -> None:
    endpoint.always = served.GARBAGE
    worst = PRICE.worst(ask())
    with pytest.raises(BudgetExhausted):
        connect(settings(endpoint.url, price=PRICE, max_cost_usd=worst * 2.5)).complete(ask())
    assert endpoint.calls == 2


def test_a_model_of_ones_own_gets_all_that_an_endpoint_gets(bare: Path) -> None:
    script = ScriptedLM([LMError("busy", retryable=True), "an answer"], model="mine")
    with Connection(script, LMSettings(retries=AT_ONCE)) as model:
        assert [model.complete(ask()).cached for _ in range(2)] == [False, True]
        assert model.totals() == Totals(2, 1, 1, None, None, None)
    assert len(script.requests) == 2
    assert len(list((bare / "lm-cache").rglob("*.json"))) == 1


def test_the_examples_of_the_documentation_run(endpoint: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "language-models.md").read_text("utf-8")
    for code in re.findall(r"^```python\n(.+?)^```", page, re.MULTILINE | re.DOTALL):
        exec(code.replace("http://127.0.0.1:8000/v1", endpoint.url), {})
    assert capsys.readouterr().out.startswith("echo: Say hello.\n1 calls (0 cached")


def test_the_documentation_names_every_option() -> None:
    page = (Path(__file__).parents[2] / "docs" / "language-models.md").read_text("utf-8")
    options = set(re.findall(r'"(--[a-z-]+)"', Path(lm_options.__file__).read_text("utf-8")))
    assert len(options) == 14
    assert not [name for name in options if f"`{name}" not in page]


RUN = """
import sys
from concurrent.futures import ThreadPoolExecutor
from swesmith_gym.lm import LMSettings, Request, connect

with connect(LMSettings(base_url=sys.argv[1], model="tiny")) as model, ThreadPoolExecutor(4) as pool:
    list(pool.map(lambda n: model.complete(Request(({"role": "user", "content": str(n)},))), range(40)))
"""


def test_a_killed_run_resumes_and_pays_only_for_what_is_left(bare: Path) -> None:
    """Twenty are answered and the next four are held back when the process is killed. That each of the four threads has
    asked again shows that it had kept its answers."""
    release = threading.Event()
    count = iter(range(1, 1000))
    lock = threading.Lock()

    def reply(messages: served.Messages) -> str:
        with lock:
            number = next(count)
        if number > 20:
            release.wait(60)
        return served.echo(messages)

    with Endpoint(reply) as endpoint:
        command = [sys.executable, "-c", RUN, endpoint.url]
        with subprocess.Popen(command) as killed:
            endpoint.wait_for(24, timeout_s=120)
            killed.send_signal(signal.SIGKILL)
        release.set()
        assert killed.returncode == -signal.SIGKILL
        assert endpoint.calls == 24
        for cached in (20, 40):
            with connect(settings(endpoint.url)) as model, ThreadPoolExecutor(4) as pool:
                found = list(pool.map(model.complete, [ask(str(n)) for n in range(40)]))
            assert [each.text for each in found] == [f"echo: {n}" for n in range(40)]
            assert model.totals().cached == cached
            assert endpoint.calls == 24 + 20
    assert len(list((bare / "lm-cache").rglob("*.json"))) == 40


def test_answers_are_no_longer_than_the_settings_allow(endpoint: Endpoint) -> None:
    with connect(settings(endpoint.url, max_tokens=7)) as lm:
        lm.complete(ask())
    assert endpoint.asked[-1].body["max_tokens"] == 7


def test_the_options_of_commands_make_the_settings() -> None:
    assert lm_options.settings() == LMSettings()
    given = lm_options.settings("http://x/v1", "m", "KEY", 1.5, "0.1,0.2", 30, 8, 60.0, 99)
    assert given == LMSettings("http://x/v1", "m", "KEY", 1.5, Price(0.1, 0.2), 30, 8, 60.0, 99)
    with pytest.raises(InputError, match="--price"):
        lm_options.settings(price="cheap")


def test_the_options_as_a_command_has_them(endpoint: Endpoint) -> None:
    app = typer.Typer()

    @app.command()
    @lm_options.asking_a_model
    def say(times: Annotated[int, typer.Argument()], lm: LMSettings, loud: bool = False) -> None:
        """Ask."""
        assert not loud
        with connect(lm) as model:
            for _ in range(times):
                typer.echo(model.complete(ask()).text)
            typer.echo(model.totals())

    args = [
        "--base-url",
        endpoint.url,
        "--model",
        "tiny",
        "--price",
        "1,2",
        "--max-cost-usd",
        "0.1",
        "--lm-timeout-s",
        "9",
    ]
    done = CliRunner().invoke(app, ["1", *args])
    assert done.exit_code == 0, done.output
    assert done.output == "echo: hello\n1 calls (0 cached, 0 failed attempts), 10 tokens in, 5 out, $0.000020\n"
    wrong = CliRunner().invoke(app, ["1", *args, "--max-cost-usd", "-1"])
    assert wrong.exit_code == 2
    shown = CliRunner().invoke(app, ["--help"]).output
    assert all(option in shown for option in ("--model", "--loud", "Ask."))
