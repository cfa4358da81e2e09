"""The cache: what counts as the same request, and that it is paid for once."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from lm.asking import ask

from swesmith_gym.errors import InputError, LMError
from swesmith_gym.lm import Completion, Request, ScriptedLM
from swesmith_gym.lm.cache import CachedLM, key_of

ANSWER = Completion("täxt\x00\ufffd", "m", "stop", 3, None, 0.25)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_an_answer_is_given_again_with_its_cost_and_as_cached(folder: Path) -> None:
    script = ScriptedLM([ANSWER])
    assert CachedLM(script, folder).complete(ask()) == ANSWER
    again = CachedLM(ScriptedLM([]), folder).complete(ask())
    assert again == replace(ANSWER, cached=True)


def test_the_key_is_over_all_that_an_answer_depends_on() -> None:
    base = ask("hello")
    others = [
        ask("hello "),
        ask("hello", temperature=0.1),
        ask("hello", max_tokens=1),
        ask("hello", sample=1),
        Request(({"role": "system", "content": "hello"},)),
        Request((*base.messages, *base.messages)),
        Request(()),
        ask("\udcff"),
    ]
    keys = [key_of("m", each) for each in [base, *others]] + [key_of("n", base)]
    assert len(set(keys)) == len(keys)
    same = Request(({"content": "hello", "role": "user"},), temperature=0)
    assert key_of("m", same) == key_of("m", base)


def test_another_sample_is_another_answer(folder: Path) -> None:
    model = CachedLM(ScriptedLM(["one", "two"]), folder)
    texts = [model.complete(ask(sample=sample)).text for sample in (0, 1, 0, 1)]
    assert texts == ["one", "two", "one", "two"]


def damage(data: dict[str, object]) -> list[bytes]:
    whole = json.dumps(data).encode()
    answer = data["answer"]
    assert isinstance(answer, dict)
    return [
        b"",
        whole[:-20],
        b"\xff" + whole,
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b"[" * 100_000,
        json.dumps({**data, "answer": None}).encode(),
        json.dumps({**data, "answer": {**answer, "text": "forged"}}).encode(),
        json.dumps({**data, "answer": {**answer, "text": 5}}).encode(),
        json.dumps({**data, "asked": {}}).encode(),
        json.dumps({**data, "digest": "0" * 64}).encode(),
    ]


def test_a_damaged_file_counts_as_absent_and_is_replaced(folder: Path) -> None:
    first = CachedLM(ScriptedLM([ANSWER]), folder)
    first.complete(ask())
    path = first.path_of(ask())
    for bad in damage(json.loads(path.read_bytes())):
        path.write_bytes(bad)
        script = ScriptedLM([ANSWER])
        assert CachedLM(script, folder).complete(ask()) == ANSWER
        assert len(script.requests) == 1
        assert CachedLM(script, folder).complete(ask()).cached
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError):
        CachedLM(ScriptedLM([ANSWER]), folder).complete(ask())


def test_the_file_of_another_request_is_no_answer(folder: Path) -> None:
    model = CachedLM(ScriptedLM(["one", "two"]), folder)
    model.complete(ask("one"))
    path = model.path_of(ask("two"))
    path.parent.mkdir(exist_ok=True)
    os.link(model.path_of(ask("one")), path)
    assert model.complete(ask("two")).text == "two"


def test_errors_are_not_kept(folder: Path) -> None:
    model = CachedLM(ScriptedLM([LMError("busy"), "done"]), folder)
    with pytest.raises(LMError):
        model.complete(ask())
    assert model.complete(ask()).text == "done"
    assert list(folder.rglob(".*.json.*")) == []


def test_threads_that_ask_the_same_at_once_pay_once(folder: Path) -> None:
    asked, go = threading.Event(), threading.Event()

    def slow(request: Request) -> str:
        asked.set()
        assert go.wait(30)
        return "an answer"

    script = ScriptedLM(slow)
    model = CachedLM(script, folder)
    found: list[Completion] = []
    threads = [threading.Thread(target=lambda: found.append(model.complete(ask()))) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert asked.wait(30)
    go.set()
    for thread in threads:
        thread.join(30)
    assert len(script.requests) == 1
    assert sorted(each.cached for each in found) == [False, *[True] * 5]
    assert {each.text for each in found} == {"an answer"}


def test_one_that_waits_asks_itself_when_the_first_fails(folder: Path) -> None:
    model = CachedLM(ScriptedLM([LMError("busy"), "done"]), folder)
    results: list[str] = []

    def work() -> None:
        try:
            results.append(model.complete(ask()).text)
        except LMError:
            results.append("failed")

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(results) == ["done", "done", "failed"]


def test_different_requests_do_not_wait_for_each_other(folder: Path) -> None:
    both = threading.Barrier(2)

    class Together:
        model = "together"

        def complete(self, request: Request) -> Completion:
            both.wait(30)
            return ANSWER

    model = CachedLM(Together(), folder)
    threads = [threading.Thread(target=model.complete, args=(ask(text),)) for text in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not both.broken
    assert len(list(folder.rglob("*.json"))) == 2


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="answers cannot be kept in"):
        CachedLM(ScriptedLM([]), tmp_path / "file" / "cache")
