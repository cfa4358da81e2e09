"""The client against a real endpoint on loopback: what it sends, and what it makes of every way to fail."""

from __future__ import annotations

import gzip
import pickle
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from lm import endpoint as served
from lm.asking import ask, settings
from lm.endpoint import Endpoint, Raw, answer, completion, refusal, too_many

from swesmith_gym.errors import ContextExceeded, InputError, LMError
from swesmith_gym.lm import Completion, LMSettings, Request, connect
from swesmith_gym.lm.openai_compatible import OpenAICompatibleLM
from swesmith_gym.lm.refusals import seconds


@pytest.fixture
def model(endpoint: Endpoint) -> OpenAICompatibleLM:
    """Asks once: no retries."""
    return OpenAICompatibleLM(endpoint.url, "tiny", timeout_s=20)


def error_of(model: OpenAICompatibleLM, request: Request | None = None) -> LMError:
    with pytest.raises(LMError) as caught:
        model.complete(request or ask())
    error = caught.value
    assert error.provider
    assert len(str(error).splitlines()) == 1
    assert str(error).isprintable()
    assert len(str(error)) < 700
    assert pickle.loads(pickle.dumps(error)).__dict__ == error.__dict__
    return error


def test_a_completion_as_the_contract_has_it(endpoint: Endpoint, model: OpenAICompatibleLM) -> None:
    request = Request(
        ({"role": "system", "content": "be brief"}, {"role": "user", "content": "grüß dich"}),
        0.5,
        max_tokens=7,
        sample=3,
    )
    assert model.complete(request) == Completion("echo: grüß dich", "tiny", "stop", 10, 5, None)
    (asked,) = endpoint.asked
    assert asked.path == "/v1/chat/completions"
    messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "grüß dich"}]
    assert asked.body == {"model": "tiny", "messages": messages, "temperature": 0.5, "max_tokens": 7}


def test_a_local_endpoint_needs_no_key_and_is_sent_none(endpoint: Endpoint, model: OpenAICompatibleLM) -> None:
    model.complete(ask())
    assert "authorization" not in endpoint.asked[0].headers


def test_no_proxy_leads_to_this_machine(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert OpenAICompatibleLM(endpoint.url, "tiny").complete(ask()).text == "echo: hello"


def test_the_key_is_sent_and_a_wrong_one_names_its_variable_and_not_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-right")
    monkeypatch.setenv("OTHER_KEY", "sk-wrong")
    with Endpoint(key="sk-right") as endpoint:
        assert connect(settings(endpoint.url, api_key_env="MY_KEY")).complete(ask()).text == "an answer"
        with pytest.raises(LMError, match=r"refuses the key in \$OTHER_KEY") as caught:
            connect(settings(endpoint.url, api_key_env="OTHER_KEY")).complete(ask("another"))
        assert (caught.value.status, caught.value.retryable) == (401, False)
        assert "sk-wrong" not in str(caught.value)
        assert endpoint.calls == 2
        with pytest.raises(LMError, match=r"wants a key: put it in \$OPENAI_API_KEY"):
            connect(settings(endpoint.url)).complete(ask("another"))


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (served.GARBAGE, "what is not JSON: '<html>Bad gateway"),
        (served.HALF_JSON, "what is not JSON"),
        (served.HALF_SENT, "broke off the answer"),
        (Raw(b""), "what is not JSON: ''"),
        (Raw(b"[" * 100_000), "what is not JSON"),
        (Raw(b"[]"), "JSON that is no completion"),
        (Raw(b"null"), "JSON that is no completion"),
        (Raw(b"{}"), "without choices"),
        (answer("x", choices=[]), "without choices"),
        (answer("x", choices={"0": 1}), "without choices"),
        (answer("x", choices=["text"]), "without choices"),
        (answer("x", choices=[{"text": "legacy"}]), "without a message"),
        (answer("x", choices=[{"message": "hello"}]), "without a message"),
        (answer(None), "without text"),
        (answer(17), "without text"),
        (answer([{"type": "text", "text": "x"}]), "without text"),
        (Raw(b'data: {"choices": []}\n\ndata: [DONE]\n\n', headers={"Content-Type": "text/event-stream"}), "not JSON"),
        (served.STREAM, "more than the"),
        (served.LONG, "an answer of 200000 characters, where 2048 tokens were asked for"),
        (Raw(b" " * 2_000_000), "more than the"),
        (Raw(gzip.compress(b"x" * 5_000_000), headers={"Content-Encoding": "gzip"}), "more than the"),
        (Raw(b"not gzip", headers={"Content-Encoding": "gzip"}), "broke off the answer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_rubbish_is_an_error_that_may_have_cost_something(
    endpoint: Endpoint, model: OpenAICompatibleLM, fault: Raw, says: str
) -> None:
    endpoint.fail(fault)
    error = error_of(model)
    assert says in str(error)
    assert error.retryable
    assert error.may_cost
    assert model.complete(ask()).text == "echo: hello"


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"model": None}, {"model": "tiny"}),
        ({"model": "a\nb\x1b[0m" + "c" * 999}, {"model": "a b⟨ESC⟩[0m" + "c" * 186 + "..."}),
        ({"usage": None}, {"prompt_tokens": None, "completion_tokens": None}),
        ({"usage": [1]}, {"prompt_tokens": None}),
        (
            {"usage": {"prompt_tokens": True, "completion_tokens": -1}},
            {"prompt_tokens": None, "completion_tokens": None},
        ),
        (
            {"usage": {"prompt_tokens": "5", "completion_tokens": 2.5}},
            {"prompt_tokens": None, "completion_tokens": None},
        ),
        ({"choices": [{"message": {"content": ""}}]}, {"text": "", "finish_reason": "unknown"}),
        (
            {"choices": [{"message": {"content": None}, "finish_reason": "length"}]},
            {"text": "", "finish_reason": "length"},
        ),
        ({"choices": [{"message": {"refusal": "I will not", "content": None}}]}, {"text": "I will not"}),
        ({"choices": [{"message": {"content": "half \ud83d of a pair\x00"}}]}, {"text": "half \ufffd of a pair\x00"}),
    ],
    ids=str,
)
def test_what_an_endpoint_leaves_out_or_garbles_is_unknown(
    endpoint: Endpoint, model: OpenAICompatibleLM, fields: dict[str, object], wanted: dict[str, object]
) -> None:
    endpoint.fail(answer("x", **fields))
    found = model.complete(ask())
    assert {name: getattr(found, name) for name in wanted} == wanted


def test_half_characters_are_not_sent(endpoint: Endpoint, model: OpenAICompatibleLM) -> None:
    assert model.complete(ask("a\udcffb")).text == "echo: a\ufffdb"


@pytest.mark.parametrize(
    "fault",
    [
        served.context_exceeded(),
        refusal(
            400, "the request exceeds the available context size. try increasing it", type="exceed_context_size_error"
        ),
        Raw(b'{"error":{"code":400,"message":"the request exceeds the available context size","n_ctx":8192}}'),
        refusal(413, "Payload Too Large"),
        Raw(b'{"object":"error","message":"Input is too long for this model","code":400}', 400),
        Raw(b'{"detail":"prompt is too long: 9000 tokens"}', 422),
    ],
    ids=str,
)
def test_a_prompt_that_is_too_long_is_told_apart(endpoint: Endpoint, model: OpenAICompatibleLM, fault: Raw) -> None:
    endpoint.fail(fault)
    error = error_of(model)
    assert isinstance(error, ContextExceeded)
    assert "longer than tiny can read" in str(error)
    assert not error.retryable


@pytest.mark.parametrize(
    ("fault", "retryable", "says"),
    [
        (too_many("7"), True, "too many requests (HTTP 429) (slow down)"),
        (refusal(429, "You exceeded your current quota", code="insufficient_quota"), False, "no quota is left"),
        (refusal(500), True, "HTTP 500"),
        (Raw(b"<h1>\x1b[2J502</h1>", 502), True, "HTTP 502) (<h1>⟨ESC⟩[2J502</h1>)"),
        (refusal(503, headers={"Retry-After": "3"}), True, "HTTP 503"),
        (refusal(408), True, "HTTP 408"),
        (refusal(400, "bad"), False, "HTTP 400) (bad)"),
        (refusal(404, "The model `tiny` does not exist"), False, "has no model 'tiny'"),
        (refusal(403, "not for you"), False, "wants a key"),
        (Raw(b"", 302, {"Location": "http://elsewhere.invalid/"}), False, "sends on to http://elsewhere.invalid/"),
        (Raw(b"[1]", 400), False, "HTTP 400"),
        (Raw(b'{"error": "just text"}', 400), False, "(just text)"),
        (Raw(b'{"error": {"message": {"deep": 1}}}', 400), False, '({"deep": 1})'),
        (Raw(b'{"error": {"code": 502, "message": "upstream"}}'), True, "HTTP 502) (upstream)"),
        (Raw(b"x" * 1000, 500, endless=True), True, "HTTP 500"),
        (Raw(b"", 204), False, "HTTP 204"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refusals(endpoint: Endpoint, model: OpenAICompatibleLM, fault: Raw, retryable: bool, says: str) -> None:
    endpoint.fail(fault)
    error = error_of(model)
    assert says in str(error)
    assert error.retryable is retryable
    assert not error.may_cost
    assert endpoint.calls == 1


def test_an_error_in_place_of_an_answer_may_have_cost(endpoint: Endpoint, model: OpenAICompatibleLM) -> None:
    endpoint.fail(Raw(b'{"error": {"message": "something"}}'))
    error = error_of(model)
    assert (error.retryable, error.may_cost) == (True, True)


def test_retry_after_is_read(endpoint: Endpoint, model: OpenAICompatibleLM) -> None:
    endpoint.fail(too_many("7"), too_many(None), refusal(400, headers={"Retry-After": "7"}))
    assert [error_of(model).retry_after_s for _ in range(3)] == [7.0, None, None]
    assert seconds("1.5") == 1.5
    assert [seconds(text) for text in ("soon", "", "-3", "9" * 400)] == [None] * 4
    assert seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert 50 < (seconds(format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)) or 0) <= 60


@pytest.mark.parametrize("fault", [served.HANG, served.DRIP])
def test_an_endpoint_that_hangs(endpoint: Endpoint, fault: Raw) -> None:
    endpoint.fail(fault)
    error = error_of(OpenAICompatibleLM(endpoint.url, "tiny", timeout_s=0.2))
    assert "gave no whole answer within 0.2 s" in str(error)
    assert (error.status, error.retryable, error.may_cost) == (None, True, True)


def test_an_answer_that_comes_ever_so_slowly_ends_too(endpoint: Endpoint) -> None:
    """Each read is quick, the whole is not: the clock jumps between them."""
    moments = iter([0.0, 5.0, 31.0, 31.0, 31.0])
    endpoint.fail(Raw(b" ", endless=True))
    error = error_of(
        OpenAICompatibleLM(endpoint.url, "tiny", timeout_s=30, clock=lambda: next(moments)), ask(max_tokens=10**6)
    )
    assert "within 30 s" in str(error)


def test_nobody_listens() -> None:
    with Endpoint() as gone:
        url = gone.url
    error = error_of(OpenAICompatibleLM(url, "tiny"))
    assert "cannot be reached" in str(error)
    assert "is --base-url right?" in str(error)
    assert (error.retryable, error.may_cost) == (True, False)


def test_a_model_that_wants_another_form_gets_it_from_then_on(endpoint: Endpoint, model: OpenAICompatibleLM) -> None:
    endpoint.fail(
        refusal(
            400,
            "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            param="max_tokens",
            code="unsupported_parameter",
        ),
        refusal(
            400,
            "'temperature' does not support 0.0 with this model. Only the default (1) value is supported.",
            param="temperature",
            code="unsupported_value",
        ),
    )
    assert model.complete(ask()).text == "echo: hello"
    assert model.complete(ask()).text == "echo: hello"
    forms = [sorted(set(asked.body) - {"model", "messages"}) for asked in endpoint.asked]
    assert forms == [
        ["max_tokens", "temperature"],
        ["max_completion_tokens", "temperature"],
        *[["max_completion_tokens"]] * 2,
    ]


def test_a_model_that_is_never_content_is_an_error(endpoint: Endpoint, model: OpenAICompatibleLM) -> None:
    endpoint.always = refusal(400, "temperature and max_completion_tokens are not supported")
    assert error_of(model).status == 400
    assert endpoint.calls == 3


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "ftp://x/v1",
        "http://",
        "http://[::1",
        "http://x:99999/",
        "http://a b/",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(InputError, match="is no address: give one such as"):
        OpenAICompatibleLM(url, "tiny")


def test_passwords_in_an_address_are_not_shown(endpoint: Endpoint) -> None:
    endpoint.always = refusal(400)
    url = endpoint.url.replace("http://", "http://me:secret@")
    assert "secret" not in str(error_of(OpenAICompatibleLM(url, "tiny")))


@pytest.mark.parametrize("key", ["two words", "ключ", "line\n"])
def test_a_key_that_cannot_be_one(key: str) -> None:
    with pytest.raises(InputError, match=r"\$OPENAI_API_KEY holds no key") as caught:
        OpenAICompatibleLM("http://127.0.0.1:1/v1", "tiny", api_key=key)
    assert key not in str(caught.value)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(InputError, match=r"pip install 'swesmith-gym\[lm\]'"):
        connect(LMSettings(base_url="http://127.0.0.1:1/v1", model="tiny"))


def test_the_fixture_speaks_the_form(endpoint: Endpoint) -> None:
    """What stands in for real servers has what they send."""
    assert {"id", "object", "created", "model", "choices", "usage"} <= set(completion("x"))
