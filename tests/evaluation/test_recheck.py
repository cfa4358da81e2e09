"""A table's tasks are validated anew, and what is different is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from swesmith_gym.evaluation.recheck import Recheck, done, evidence, recheck
from swesmith_gym.executors import SerialExecutor
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import TaskInstance
from swesmith_gym.tasks import TaskTable

pytestmark = [pytest.mark.sandbox, pytest.mark.network]


def differences(tasks: list[TaskInstance], testbed: Testbed) -> list[str]:
    found = list(recheck(tasks, SerialExecutor(), testbed.backend, lambda *_: None, reruns=2))
    assert {each.instance_id for each in found} == {task.instance_id for task in tasks}
    return [each.difference for each in found]


def test_true_tables_are_the_same_again(abacus: Testbed, abacus_tasks: TaskTable) -> None:
    assert differences(list(abacus_tasks), abacus) == ["", "", ""]


def test_tables_that_say_something_else_are_told(abacus: Testbed, abacus_tasks: TaskTable) -> None:
    first, second, third = abacus_tasks
    kept, *rest = second.PASS_TO_PASS
    wrong = [
        replace(first, FAIL_TO_PASS=(*first.FAIL_TO_PASS, "tests/test_numbers.py::test_no_more")),
        replace(second, PASS_TO_PASS=tuple(rest)),
        replace(third, bug_patch=third.gold_patch),
    ]
    told = differences(wrong, abacus)
    assert told[0] == "1 tests are no longer in FAIL_TO_PASS: tests/test_numbers.py::test_no_more"
    assert told[1] == f"1 tests are new in PASS_TO_PASS: {kept}"
    assert told[2].startswith("rejected: patch_does_not_apply")


def test_the_evidence_is_of_one_table(abacus_tasks: TaskTable) -> None:
    ids = [task.instance_id for task in abacus_tasks]
    found = evidence(abacus_tasks, [Recheck(ids[1], "other"), Recheck(ids[0], "other"), Recheck(ids[2])], 3)
    assert (found["tasks"], found["tasks_rechecked"], found["reruns"]) == (3, 3, 3)
    assert [row["instance_id"] for row in found["different"]] == sorted(ids[:2])


def test_what_was_found_of_this_very_table_is_not_looked_for_again(abacus_tasks: TaskTable, tmp_path: Path) -> None:
    path = tmp_path / "t.recheck.json"
    assert not done(path, abacus_tasks, 3)
    path.write_text(json.dumps(evidence(abacus_tasks, [Recheck(task.instance_id) for task in abacus_tasks], 3)))
    assert done(path, abacus_tasks, 3)
    assert not done(path, abacus_tasks, 4)
    assert not done(path, TaskTable(list(abacus_tasks)[:2]), 3)
    path.write_text(json.dumps(evidence(abacus_tasks, [Recheck(abacus_tasks[0].instance_id)], 3)))
    assert not done(path, abacus_tasks, 3), "only one was looked at"
    path.write_text("[")
    assert not done(path, abacus_tasks, 3)
