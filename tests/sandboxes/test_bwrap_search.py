"""Finding bubblewrap: a folder on the search path that may not be entered is passed over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from swesmith_gym.sandboxes.binary import find_bwrap


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0)
    yield folder
    folder.chmod(0o700)


def test_a_folder_that_may_not_be_entered(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{closed}{os.pathsep}{os.environ['PATH']}")
    find_bwrap.cache_clear()
    assert find_bwrap().name == "bwrap"
