"""Hiding tests of real packages: what remains collects exactly as before, less what was reported as gone."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from swesmith_gym.languages.python.language import Python
from swesmith_gym.records import TestSetup
from swesmith_gym.repos import sources

PACKAGES = ["sqlparse==0.6.1", "h11==0.16.0", "tinydb==4.9.0", "boltons==26.2.0"]


def write(root: Path, files: dict[str, bytes | None]) -> None:
    for name, data in files.items():
        if data is None:
            (root / name).unlink()
        else:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(data)


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES)
def test_what_remains_collects_as_before(package, runner, tmp_path):
    files = {path: data for path, (_, data) in sources.fetch(f"pypi:{package}").tree.items()}
    root = tmp_path / "tree"
    write(root, files)
    ids = runner({}, collect_only=True).collected
    assert len(ids) > 70
    language, rng = Python(), random.Random(package)
    for count, how in ((1, "functions"), (20, "functions"), (len(ids), "functions"), (2, "files")):
        asked = rng.sample(ids, count)
        hidden = language.hide_tests(files, asked, ids, how=how, keep=())
        assert set(asked) <= set(hidden.ids)
        write(root, dict(hidden.files))
        after = runner({}, collect_only=True)
        assert after.broken_modules == {}
        # As sets: which tests there are decides in what order tests that share a wide fixture run.
        assert sorted(after.collected) == sorted(set(ids) - set(hidden.ids))
        write(root, files)
    assert set(language.surface(files, TestSetup(), ids).roots) <= {"tests", "h11/tests"}
