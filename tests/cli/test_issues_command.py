"""`issues write` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from swesmith_gym.tasks import TaskTable

pytestmark = [pytest.mark.sandbox, pytest.mark.network]


def call(*args: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "swesmith_gym", "issues", "write", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_statements_are_counted_by_mode_and_reason(abacus_tasks: TaskTable, tmp_path: Path) -> None:
    path, out = tmp_path / "t.parquet", tmp_path / "o.parquet"
    texts = ("Sums of several numbers come out wrong", "wip", "")
    TaskTable([replace(task, original_text=text) for task, text in zip(abacus_tasks, texts, strict=True)]).write(path)
    done = call(path, "--mode", "pr", "--out", out, "--workers", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["instead_because"] == {"pr: says_nothing": 1, "pr: no_text": 1}
    assert TaskTable.read(out)[0].problem_statement == "Sums of several numbers come out wrong\n"
    done = call(path, "--mode", "pr", "--workers", "1")
    assert (done.returncode, done.stdout) == (0, "")
    assert "(2 tests, 1 pr; not as asked: 1 pr: says_nothing, 1 pr: no_text)" in done.stderr
    assert TaskTable.read(path) == TaskTable.read(out)
