"""Gold scores 1, nop 0, and nop fails what it must and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from swesmith_gym.evaluation.verify import verify
from swesmith_gym.executors import SerialExecutor
from swesmith_gym.harness.attempts import Bench
from swesmith_gym.harness.tampering import Watch
from swesmith_gym.harness.warm import WarmBench
from swesmith_gym.harness.worker import Worker, WorkerLost
from swesmith_gym.records import FileChange, Outcome, TaskInstance, TestReport, TestResult
from swesmith_gym.tasks import TaskTable

pytestmark = [pytest.mark.sandbox, pytest.mark.network]


def problems(task: TaskInstance, warm: bool) -> dict[str, str]:
    checks = verify([task], SerialExecutor(), rounds=1, sandbox="bubblewrap", warm=warm)
    return {each.control: each.problem for each in checks}


@pytest.fixture(params=[False, True], ids=["fresh", "warm"])
def warm(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_a_true_task_has_none(abacus_tasks: TaskTable, warm: bool) -> None:
    assert problems(abacus_tasks[0], warm) == {"gold": "", "nop": ""}


def test_warm_gradings_need_no_other_sandbox(abacus_tasks: TaskTable, monkeypatch: pytest.MonkeyPatch) -> None:
    def fresh(*_: object) -> None:
        raise AssertionError("a fresh sandbox")

    monkeypatch.setattr(Bench, "run", fresh)
    assert problems(abacus_tasks[0], warm=True) == {"gold": "", "nop": ""}


def test_what_is_wrong_in_forks_is_looked_at_in_a_fresh_sandbox(
    abacus_tasks: TaskTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests may look at how they were loaded."""
    real = WarmBench.run

    def nothing_failed(bench: WarmBench, changes: tuple[FileChange, ...], watch: Watch) -> TestReport:
        report = real(bench, changes, watch)
        passed = {test: TestResult(Outcome.PASSED, 0.0) for test in report.results}
        return replace(report, results=passed)

    monkeypatch.setattr(WarmBench, "run", nothing_failed)
    assert problems(abacus_tasks[0], warm=True) == {"gold": "", "nop": ""}


def test_a_runner_that_ends_gives_way_to_a_fresh_sandbox(
    abacus_tasks: TaskTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> None:
        raise WorkerLost("it has ended")

    monkeypatch.setattr(Worker, "ask", lost)
    assert problems(abacus_tasks[0], warm=True) == {"gold": "", "nop": ""}


def test_lists_that_are_wrong_are_told(abacus_tasks: TaskTable, warm: bool) -> None:
    task = next(each for each in abacus_tasks if len(each.FAIL_TO_PASS) > 1)
    task = replace(task, fingerprint="of another host")  # where the sealed tree need not be the same
    moved, *kept = task.FAIL_TO_PASS
    found = problems(replace(task, FAIL_TO_PASS=tuple(kept), PASS_TO_PASS=(*task.PASS_TO_PASS, moved)), warm)
    assert found == {"gold": "", "nop": f"of PASS_TO_PASS, 1 tests fail with the bug, the first is {moved}"}
    moved, *kept = task.PASS_TO_PASS
    found = problems(replace(task, FAIL_TO_PASS=(*task.FAIL_TO_PASS, moved), PASS_TO_PASS=tuple(kept)), warm)
    assert found == {"gold": "", "nop": f"of FAIL_TO_PASS, 1 tests pass with the bug, the first is {moved}"}
