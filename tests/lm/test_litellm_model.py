"""A model by way of the real `litellm`, which is led to an endpoint on the loopback interface."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from lm import endpoint as served
from lm.asking import ask, settings
from lm.endpoint import Endpoint, context_exceeded, refusal, too_many

from swesmith_gym.errors import ContextExceeded, InputError, LMError
from swesmith_gym.lm import LMSettings, Price, connect

MODEL = "litellm/openai/tiny"


@pytest.fixture
def through(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> LMSettings:
    """Leads there, with a key of its own."""
    monkeypatch.setenv("SOME_KEY", "sk-some-secret")
    return settings(endpoint.url, model=MODEL, api_key_env="SOME_KEY", price=Price(1.0, 2.0))


def test_an_answer_is_paid_for_once(endpoint: Endpoint, through: LMSettings) -> None:
    with connect(through) as model:
        first = model.complete(ask(max_tokens=7, temperature=0.25))
        assert (first.text, first.model, first.cost_usd) == ("echo: hello", "tiny", pytest.approx(20 / 1e6))
        assert model.complete(ask(max_tokens=7, temperature=0.25)) == replace(first, cached=True)
    (asked,) = endpoint.asked
    assert asked.body["model"] == "tiny"
    assert (asked.body["max_tokens"], asked.body["temperature"]) == (7, 0.25)
    assert asked.headers["authorization"] == "Bearer sk-some-secret"


def test_a_storm_is_weathered(endpoint: Endpoint, through: LMSettings) -> None:
    endpoint.fail(too_many("0"), refusal(500), served.GARBAGE, served.HALF_JSON)
    assert connect(through).complete(ask()).text == "echo: hello"
    assert endpoint.calls == 5


def test_what_does_not_pass_is_asked_once_and_told_in_one_line(endpoint: Endpoint, through: LMSettings) -> None:
    faults = (
        (refusal(401, "bad key sk-some-secret"), r"\$SOME_KEY"),
        (refusal(404, "no model"), "--model"),
        (refusal(429, "no quota", code="insufficient_quota"), "no quota is left"),
    )
    for fault, says in faults:
        endpoint.always = fault
        before = endpoint.calls
        with pytest.raises(LMError, match=says) as caught:
            connect(through).complete(ask())
        assert endpoint.calls - before == 1
        assert caught.value.lasting
        assert "secret" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_prompt_that_is_too_long_is_sent_once(endpoint: Endpoint, through: LMSettings) -> None:
    endpoint.always = context_exceeded()
    with pytest.raises(ContextExceeded):
        connect(through).complete(ask())
    assert endpoint.calls == 1


def test_an_endpoint_that_hangs_may_have_charged(endpoint: Endpoint, through: LMSettings) -> None:
    endpoint.always = served.HANG
    with pytest.raises(LMError) as caught:
        connect(replace(through, timeout_s=0.3)).complete(ask())
    assert caught.value.may_cost


def test_a_key_of_openai_goes_to_no_other_provider(
    endpoint: Endpoint, through: LMSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(LMError):
        connect(replace(through, model="litellm/anthropic/some", api_key_env=None)).complete(ask())
    assert not endpoint.asked


@pytest.mark.parametrize("name", ["litellm/", "litellm/anthropic", "litellm/anthropic/"])
def test_a_name_without_provider_or_model_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="litellm/PROVIDER/MODEL"):
        connect(LMSettings(model=name))


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "litellm", None)
    with pytest.raises(InputError, match=r"swesmith-gym\[litellm\]"):
        connect(LMSettings(model=MODEL))
