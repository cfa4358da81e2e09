"""Grading on the process backend: refused, unless the user says that the machine itself is the sandbox."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import process_sandboxes
import pytest
from process_sandboxes import left_on_the_machine
from samples import ABACUS
from typer.testing import CliRunner

from swesmith_gym.cli.main import app
from swesmith_gym.errors import SandboxUnsupported
from swesmith_gym.harness.grade import grade
from swesmith_gym.harness.submission import from_patch
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import Submission
from swesmith_gym.sandboxes.process.backend import TRUST, Process
from swesmith_gym.sandboxes.registry import backend as by_name
from swesmith_gym.tasks import TaskTable, sealing

pytestmark = [pytest.mark.sandbox, pytest.mark.network]

backend = process_sandboxes.backend


@pytest.fixture
def tasks(backend: Process, request: pytest.FixtureRequest) -> TaskTable:
    """Made by the default backend, and only where this one can be had."""
    found: TaskTable = request.getfixturevalue("abacus_tasks")
    return found


@pytest.fixture
def here(
    backend: Process, tasks: TaskTable, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Testbed:
    """The small package as the default backend has built it, to be run by this one."""
    monkeypatch.setenv("SWESMITH_GYM_HOME", str(request.getfixturevalue("home")))
    monkeypatch.delenv(TRUST, raising=False)
    return replace(request.getfixturevalue("abacus"), backend=backend)


def test_without_trust_it_is_refused(here: Testbed, tasks: TaskTable) -> None:
    with pytest.raises(SandboxUnsupported, match="--trust-outer-sandbox"):
        grade(tasks[0], Submission(), here)
    assert left_on_the_machine() == []


def test_with_trust_gold_and_nothing_are_told_apart(
    here: Testbed, tasks: TaskTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TRUST, "1")
    for task in tasks:
        buggy = sealing.seal(here.pristine, task.bug_patch, (), (), here.language).tree
        verdict = grade(task, from_patch(task.gold_patch, buggy), here)
        assert verdict.resolved, verdict
        assert not verdict.drifted
        assert not grade(task, Submission(), here).resolved
    assert left_on_the_machine() == []


@pytest.mark.slow
def test_build_and_grading_by_itself(
    backend: Process, tasks: TaskTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from swesmith_gym.repos.add import add
    from swesmith_gym.repos.resolve import ensure_built

    monkeypatch.setenv("SWESMITH_GYM_HOME", str(tmp_path / "own"))
    monkeypatch.setenv(TRUST, "1")
    add(str(ABACUS), "abacus")
    testbed = ensure_built("abacus", backend, lambda _: None)
    image = testbed.spec.tree.parent
    assert {path.lstat().st_uid for path in (image / "env").rglob("*")} == {os.geteuid()}
    assert not [path for path in (image / "env/bin").iterdir() if str(tmp_path).encode() in path.read_bytes()]
    task = tasks[0]
    buggy = sealing.seal(testbed.pristine, task.bug_patch, (), (), testbed.language).tree
    assert grade(task, from_patch(task.gold_patch, buggy), testbed).resolved
    assert left_on_the_machine() == []


def test_the_option_tells_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(TRUST, "0")
    words = ["tasks", "verify", str(tmp_path / "none.parquet")]
    for command in (words, [*words, "--trust-outer-sandbox"]):
        assert isinstance(CliRunner().invoke(app, command).exception, Exception)
        assert os.environ[TRUST] == ("1" if command is not words else "0")


def test_it_is_never_chosen_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRUST, "1")
    monkeypatch.delenv("SWESMITH_GYM_SANDBOX", raising=False)
    assert by_name("auto").name != "process"
