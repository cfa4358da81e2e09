"""The model that answers from a script."""

from __future__ import annotations

import threading

import pytest
from lm.asking import ask

import swesmith_gym
from swesmith_gym.errors import ContextExceeded, LMError
from swesmith_gym.lm import LM, Completion, ScriptedLM


def test_a_list_is_answered_in_turn_and_requests_are_kept() -> None:
    whole = Completion("b", "other", "length", 1, 2, 0.5)
    model: LM = ScriptedLM(["", whole, ContextExceeded("too long")])
    assert model.complete(ask("1")) == Completion("", "scripted", "stop", None, None, None)
    assert model.complete(ask("2")) == whole
    with pytest.raises(ContextExceeded):
        model.complete(ask("3"))
    with pytest.raises(LMError, match="the script has no more answers"):
        model.complete(ask("4"))
    assert isinstance(model, ScriptedLM)
    assert model.requests == tuple(ask(text) for text in "1234")


def test_a_function_sees_the_request() -> None:
    model = swesmith_gym.ScriptedLM(lambda request: request.messages[0]["content"].upper(), model="loud")
    completion = model.complete(ask("hello"))
    assert (completion.text, completion.model, model.model) == ("HELLO", "loud", "loud")


def test_threads_take_turns() -> None:
    model = ScriptedLM(str(n) for n in range(100))
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.extend(model.complete(ask()).text for _ in range(10))) for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=int) == [str(n) for n in range(100)]
