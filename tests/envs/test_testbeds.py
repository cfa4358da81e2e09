"""Preparing tasks: builds are told, drift is named before play, the variant that was asked for, many threads."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from swesmith_gym import sandboxes
from swesmith_gym.envs import testbeds
from swesmith_gym.envs.testbeds import prepare, prepare_unwritten
from swesmith_gym.errors import TaskTableError
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import TaskInstance
from swesmith_gym.tasks import TaskTable, sealing

pytestmark = [pytest.mark.sandbox, pytest.mark.network]


def elsewhere(task: TaskInstance, testbed: Testbed, **changes: Any) -> TaskInstance:
    """`task` as if it had been validated under another fingerprint."""
    return replace(task, fingerprint="0" * 64, repo_source=testbed.image.source, **changes)


@pytest.fixture
def here(abacus: Testbed, monkeypatch: pytest.MonkeyPatch) -> Testbed:
    """This host's build stands for every task."""
    monkeypatch.setattr(testbeds, "testbed_of", lambda task, backend, say: abacus)
    return abacus


def building(monkeypatch: pytest.MonkeyPatch, abacus: Testbed) -> None:
    def build(task: TaskInstance, backend: Any, say: Any) -> Testbed:
        say("install")
        return abacus

    monkeypatch.setattr(testbeds, "testbed_of", build)
    prepare_unwritten.cache_clear()


def test_a_build_is_told_on_stderr_where_nothing_logs(
    abacus: Testbed,
    abacus_tasks: TaskTable,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    building(monkeypatch, abacus)
    monkeypatch.setattr(logging.getLogger("swesmith_gym"), "propagate", False)
    prepare(abacus_tasks[0], backend="auto")
    captured = capsys.readouterr()
    assert captured.err == "swesmith-gym: building abacus: install\n"
    assert captured.out == ""


def test_a_build_is_told_to_the_log(
    abacus: Testbed,
    abacus_tasks: TaskTable,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    building(monkeypatch, abacus)
    with caplog.at_level(logging.INFO, "swesmith_gym"):
        prepare(abacus_tasks[0], backend="auto")
    assert caplog.record_tuples == [("swesmith_gym", logging.INFO, "building abacus: install")]
    assert capsys.readouterr().err == ""


def test_a_task_that_drift_left_nothing_of_is_named(here: Testbed, abacus_tasks: TaskTable) -> None:
    drifted = elsewhere(abacus_tasks[0], here, FAIL_TO_PASS=("tests/test_gone.py::test",))
    with pytest.raises(TaskTableError, match="no FAIL_TO_PASS test passes on this host's build"):
        prepare(drifted, backend="auto")


def test_another_fingerprint_gives_the_variant_that_was_asked_for(here: Testbed, abacus_tasks: TaskTable) -> None:
    task = abacus_tasks[0]
    baseline = tuple(here.image.baseline)
    digests = {
        how: sealing.seal(
            here.pristine, task.bug_patch, task.FAIL_TO_PASS, baseline, here.language, hide_tests=how
        ).digest
        for how in ("functions", "files", "none")
    }
    assert len(set(digests.values())) == 3
    other = elsewhere(task, here, sealed_digest="0" * 64)
    for how, digest in digests.items():
        assert prepare(other, backend="auto", hide_tests=how).sealed.digest == digest  # type: ignore[arg-type]


def test_threads_that_prepare_one_task_end_with_one_folder(
    abacus: Testbed, abacus_tasks: TaskTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sealing, "home", lambda: tmp_path)
    commits: list[object] = []
    commit = sealing._commit
    monkeypatch.setattr(sealing, "_commit", lambda *args: commits.append(args) or commit(*args))
    together = Barrier(6, timeout=60)

    def ready(number: int) -> Path:
        together.wait()
        return prepare(abacus_tasks[number % 2], backend="auto").spec.tree

    with ThreadPoolExecutor(6) as threads:
        folders = list(threads.map(ready, range(6)))
    assert len(set(folders)) == len(commits) == 2
    assert {folder.name for folder in folders} == {each.name for each in folders[0].parent.iterdir()}


def test_materializing_one_tree_twice_at_once_gives_one_folder(
    abacus: Testbed, abacus_tasks: TaskTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sealing, "home", lambda: tmp_path)
    known = prepare_unwritten(abacus_tasks[0], backend="auto")
    together = Barrier(3, timeout=60)
    commit = sealing._commit

    def commit_together(*args: Any) -> None:
        commit(*args)
        together.wait()

    monkeypatch.setattr(sealing, "_commit", commit_together)
    with ThreadPoolExecutor(3) as threads:
        folders = list(
            threads.map(
                lambda _: sealing.materialize(known.sealed, sandboxes.backend("auto"), known.testbed.spec), range(3)
            )
        )
    assert len(set(folders)) == 1
    assert [each.name for each in folders[0].parent.iterdir()] == [folders[0].name]
    assert (folders[0] / ".git" / "HEAD").is_file()
