"""Answers that were paid for, kept by what was asked: the same request to the same model is paid for once.

The address of the endpoint is not part of what was asked. A file for each answer is written as soon as it is there, so
that a run that was killed goes on without paying twice. Two processes that ask the same at the same moment both pay.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from swesmith_gym.errors import InputError
from swesmith_gym.home import home, write_atomic
from swesmith_gym.lm.base import LM, Completion, Request

_FORM = 1
"""Of the files: another number, and all that was kept counts as absent."""
_TYPES: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "model": (str,),
    "finish_reason": (str,),
    "prompt_tokens": (int, type(None)),
    "completion_tokens": (int, type(None)),
    "cost_usd": (float, type(None)),
}


def default_folder() -> Path:
    """`$SWESMITH_GYM_HOME/lm-cache`. Not created."""
    return home() / "lm-cache"


def key_of(model: str, request: Request) -> str:
    """SHA-256, in hexadecimal, over all that an answer depends on."""
    return _digest(_asked(model, request))


class CachedLM:
    """Answers from a folder, and asks an inner model for what is not there. Thread-safe: of threads that ask the same
    at once, one asks the inner model, and the others wait for its answer."""

    def __init__(self, inner: LM, folder: Path) -> None:
        """Creates the folder. Raises: InputError (it cannot be)."""
        self._inner, self._folder = inner, folder
        self._turns = _Turns()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"answers cannot be kept in {folder} ({error.strerror}): choose another folder") from error

    @property
    def model(self) -> str:
        """As the inner one."""
        return self._inner.model

    def complete(self, request: Request) -> Completion:
        """The answer that is kept, as `cached` and with the cost that it had; else the inner model's.

        Raises: as the inner one; OSError (the answer cannot be written: the disk is full).
        """
        asked = _asked(self.model, request)
        path = self.path_of(request)
        with self._turns.of(path.name):
            kept = _read(path, asked)
            if kept is not None:
                return kept
            completion = self._inner.complete(request)
            write_atomic(path, _written(asked, completion))
            return completion

    def path_of(self, request: Request) -> Path:
        """Where the answer to a request is kept."""
        key = key_of(self.model, request)
        return self._folder / key[:2] / f"{key}.json"


def _asked(model: str, request: Request) -> dict[str, Any]:
    return {
        "form": _FORM,
        "model": model,
        "messages": [dict(message) for message in request.messages],
        "temperature": float(request.temperature),
        "max_tokens": request.max_tokens,
        "sample": request.sample,
    }


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


def _written(asked: dict[str, Any], completion: Completion) -> str:
    answer = {name: value for name, value in asdict(completion).items() if name in _TYPES}
    return json.dumps({"asked": asked, "answer": answer, "digest": _digest([asked, answer])}, indent=1) + "\n"


def _read(path: Path, asked: dict[str, Any]) -> Completion | None:
    """What is damaged, or answers something else, counts as absent."""
    try:
        data = json.loads(path.read_bytes())
        answer = {name: data["answer"][name] for name in _TYPES}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    whole = data.get("asked") == asked and data.get("digest") == _digest([asked, answer])
    if not whole or not all(isinstance(answer[name], kinds) for name, kinds in _TYPES.items()):
        return None
    return replace(Completion(**answer), cached=True)


class _Turns:
    """A lock for each name, while somebody wants it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        with self._lock:
            lock, users = self._locks.get(name, (threading.Lock(), 0))
            self._locks[name] = (lock, users + 1)
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, users = self._locks.pop(name)
                if users > 1:
                    self._locks[name] = (lock, users - 1)
