"""The endpoint of the small language model, asked through OpenAI's own client."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest
from lm.small_model import PYTHON, ROOT, SmallModel
from openai import OpenAI
from openai.types.chat import ChatCompletion

pytestmark = [pytest.mark.lm, pytest.mark.slow]
CODE = "Write a Python function that adds two numbers."
QUESTIONS = (CODE, "What is the capital of France?", "Say hi.", "Write a Python function that reverses a list.")


@pytest.fixture(scope="module")
def client(small_model: SmallModel) -> OpenAI:
    return OpenAI(base_url=small_model.url, api_key="none", max_retries=0, timeout=600)


def ask(client: OpenAI, text: str, **options: Any) -> ChatCompletion:
    options = {"temperature": 0, "max_tokens": 24, **options}
    model = client.models.list().data[0].id
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": text}], **options)


def text(answer: ChatCompletion) -> str:
    return answer.choices[0].message.content or ""


def send(small_model: SmallModel, method: str, path: str, body: bytes) -> tuple[int, bytes]:
    """What OpenAI's client would not send."""
    connection = http.client.HTTPConnection(urlsplit(small_model.url).netloc, timeout=600)
    connection.request(method, path, body)
    reply = connection.getresponse()
    found = reply.status, reply.read()
    connection.close()
    return found


def test_it_writes_code(client: OpenAI, small_model: SmallModel) -> None:
    answer = ask(client, CODE, max_tokens=40)
    assert "def add" in text(answer)
    assert answer.model == small_model.name == "SmolLM2-135M-Instruct"


def test_an_answer_ends_by_itself_or_at_the_limit_and_its_tokens_are_counted(client: OpenAI) -> None:
    short = ask(client, QUESTIONS[1])
    assert (text(short), short.choices[0].finish_reason) == ("The capital of France is Paris.", "stop")
    long = ask(client, CODE, max_tokens=5)
    assert long.choices[0].finish_reason == "length"
    assert short.usage is not None
    assert long.usage is not None
    assert short.usage.completion_tokens == 8  # the token that ends it is one
    assert long.usage.completion_tokens == 5
    twice = ask(client, f"{CODE} {CODE}", max_tokens=1)
    assert twice.usage is not None
    added = twice.usage.prompt_tokens - long.usage.prompt_tokens
    assert long.usage.prompt_tokens > added > 0
    assert twice.usage.total_tokens == twice.usage.prompt_tokens + 1


def test_stop_cuts_the_answer_before_it(client: OpenAI) -> None:
    whole = text(ask(client, QUESTIONS[1]))
    cut = ask(client, QUESTIONS[1], stop=["France", "Paris"])
    assert text(cut) == whole.split("France", maxsplit=1)[0]
    assert cut.choices[0].finish_reason == "stop"
    assert cut.usage is not None
    assert cut.usage.completion_tokens < 8  # it was ended, not only cut
    never = ask(client, QUESTIONS[1], stop="is the capital", max_tokens=4)  # what the prompt alone holds does not count
    assert (text(never), never.choices[0].finish_reason) == ("The capital of France", "length")


def test_equal_requests_get_equal_answers_and_another_seed_another_one(client: OpenAI) -> None:
    first, again, other = (text(ask(client, CODE, temperature=1.0, seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_four_at_once_get_what_each_gets_alone(client: OpenAI, small_model: SmallModel) -> None:
    before = small_model.stats()
    alone = [text(ask(client, question, temperature=0.8)) for question in QUESTIONS]
    between = small_model.stats()
    with ThreadPoolExecutor(4) as threads:
        together = [text(one) for one in threads.map(lambda asked: ask(client, asked, temperature=0.8), QUESTIONS)]
    after = small_model.stats()
    assert together == alone
    assert between["calls"] - before["calls"] == after["calls"] - between["calls"] == 4
    used = between["completion_tokens"] - before["completion_tokens"]
    assert after["completion_tokens"] - between["completion_tokens"] == used


def test_what_is_beyond_the_context_is_refused(client: OpenAI, small_model: SmallModel) -> None:
    before = small_model.stats()
    with pytest.raises(openai.BadRequestError, match="maximum context length is 8192 tokens") as caught:
        ask(client, "word " * 9000)
    assert caught.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError, match="in the messages, 8192 in the completion"):
        ask(client, "word", max_tokens=8192)
    after = small_model.stats()
    assert (after["calls"], after["errors"]) == (before["calls"], before["errors"] + 2)


@pytest.mark.parametrize(
    ("options", "about"),
    [
        ({"n": 2}, "n is not supported"),
        ({"stream": True}, "stream is not supported"),
        ({"temperature": -1}, "temperature must be"),
        ({"max_tokens": 0}, "max_tokens must be"),
        ({"stop": [""]}, "stop must be"),
        ({"extra_body": {"messages": []}}, "messages must be"),
        ({"extra_body": {"messages": [{"role": "poet", "content": "x"}]}}, r"messages\[0\] must have a role"),
        ({"extra_body": {"messages": [{"role": "user", "content": 1}]}}, r"messages\[0\].content must be text"),
    ],
)
def test_bad_requests_are_told_apart(client: OpenAI, options: dict[str, Any], about: str) -> None:
    with pytest.raises(openai.BadRequestError, match=about):
        ask(client, "hello", **options)


def test_an_unknown_model_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-9", messages=[{"role": "user", "content": "hello"}])
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/nothing", b"", 404),
        ("POST", "/v1/embeddings", b"{}", 404),
        ("GET", "/v1/chat/completions", b"", 405),
        ("POST", "/v1/models", b"{}", 405),
        ("POST", "/v1/chat/completions", b"{", 400),
        ("POST", "/v1/chat/completions", b"[" * 100_000, 400),
        ("POST", "/v1/chat/completions", b"\xff", 400),
        ("POST", "/v1/chat/completions", b"3", 400),
        ("POST", "/v1/chat/completions", b" " * (5 << 20), 413),
    ],
)
def test_statuses(small_model: SmallModel, method: str, path: str, body: bytes, status: int) -> None:
    replied, reply = send(small_model, method, path, body)
    assert replied == status
    assert b'"error": {"message": ' in reply


def test_text_that_is_no_text_is_answered_all_the_same(small_model: SmallModel) -> None:
    """Half of a surrogate pair, which JSON can hold and OpenAI's own client does not send, and a zero."""
    content = [{"type": "text", "text": "half a pair: \ud800"}, {"type": "text", "text": ", zero: \0"}]
    body = json.dumps({"max_tokens": 1, "messages": [{"role": "user", "content": content}]})
    status, reply = send(small_model, "POST", "/v1/chat/completions", body.encode())
    assert status == 200
    assert json.loads(reply)["usage"]["completion_tokens"] == 1


@pytest.mark.parametrize("model", ["missing.gguf", str(ROOT / "README.md")])
def test_a_server_that_cannot_start_says_why_in_one_line(small_model: SmallModel, tmp_path: Path, model: str) -> None:
    command = [str(PYTHON), str(ROOT / "examples" / "small_model_server.py"), "--model", model]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("small_model_server: ")
    assert done.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_named_before_the_model_is_loaded(small_model: SmallModel, tmp_path: Path) -> None:
    port = str(urlsplit(small_model.url).port)
    command = [str(PYTHON), str(ROOT / "examples" / "small_model_server.py"), "--port", port, "--model", "missing"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    taken = f"small_model_server: port {port} is taken: choose another one with --port, or any free one with --port 0\n"
    assert (done.returncode, done.stderr) == (2, taken)


def test_without_torch_it_says_how_to_start_it(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", str(ROOT / "examples" / "small_model_server.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "make small-model" in done.stderr
