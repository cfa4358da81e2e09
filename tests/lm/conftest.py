"""A loopback endpoint and a state folder for each test, and no model of the caller's environment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lm.endpoint import Endpoint, echo

for_the_model = ("OPENAI_BASE_URL", "OPENAI_API_KEY", "SWESMITH_GYM_LM_MODEL")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Nothing is configured; the state folder is the test's own."""
    for name in for_the_model:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SWESMITH_GYM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(echo) as served:
        yield served
