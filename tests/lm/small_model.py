"""The small language model for tests marked `lm`: a server of it, in a process of its own, on the loopback interface.

The fixture `small_model` is there in every folder; it starts the server once a session.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-lm" / "bin" / "python"
MUST = "SWESMITH_GYM_TEST_LM"
"""Set where the model was installed for the tests: then nothing is left out."""
START_S = 600
"""Loading the model takes ten seconds of processor time, and a busy machine may give little."""


@dataclass(frozen=True)
class SmallModel:
    """A server that runs."""

    url: str
    """The base URL, `/v1` included."""
    name: str
    """Of the model, as requests must say it."""

    def stats(self) -> dict[str, int]:
        """`calls`, `errors`, `prompt_tokens` and `completion_tokens` since it started."""
        return _get(f"{self.url}/stats")  # type: ignore[return-value]


@contextmanager
def serving(*options: str) -> Iterator[SmallModel]:
    """Start a server with these options, and end it.

    Raises: RuntimeError (it did not start; with what it said).
    """
    command = [str(PYTHON), str(ROOT / "examples" / "small_model_server.py"), "--port", "0", "--threads", "1", *options]
    with tempfile.TemporaryFile() as errors:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        try:
            said = _first_line(server)
            if not said.startswith("listening on "):
                errors.seek(0)
                raise RuntimeError(f"the small model did not start: {errors.read().decode(errors='replace')[-2000:]}")
            url = said.removeprefix("listening on ")
            yield SmallModel(url, _get(f"{url}/models")["data"][0]["id"])  # type: ignore[index]
        finally:
            server.kill()
            server.communicate()


def _first_line(server: subprocess.Popen[bytes]) -> str:
    """Empty: it ended, or said nothing in time."""
    assert server.stdout is not None
    deadline = time.monotonic() + START_S
    said = b""
    with selectors.DefaultSelector() as selector:
        selector.register(server.stdout, selectors.EVENT_READ)
        while not said.endswith(b"\n") and selector.select(deadline - time.monotonic()):
            more = os.read(server.stdout.fileno(), 4096)
            if not more:
                break
            said += more
    return said.decode().strip()


def _get(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=60) as reply:
        return json.load(reply)  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def small_model() -> Iterator[SmallModel]:
    """One for the whole session. Left out where it is not installed, unless it has to be there."""
    if not (PYTHON.parent.parent / ".installed").exists():
        reason = "no small language model (fix: make small-model)"
        if MUST in os.environ:
            pytest.fail(f"${MUST} is set, but there is {reason}")
        pytest.skip(reason)
    with serving() as server:
        yield server
