"""The leak scan finds every planted leak, and nothing where none was planted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from planted_leaks import ALL, PRELUDE, Plant
from staging import Stage, stage_of

from swesmith_gym.evaluation import scan
from swesmith_gym.evaluation.scan import Prepared
from swesmith_gym.executors import LocalExecutor
from swesmith_gym.records import TaskInstance
from swesmith_gym.tasks import TaskTable, sealing
from swesmith_gym.tasks.scan import LEAKS, Finding, surroundings

pytestmark = [pytest.mark.sandbox, pytest.mark.network, pytest.mark.slow]
ALONE = [plant for plant in ALL if plant.alone]
EPISODE = [plant for plant in ALL if not plant.alone and not plant.image]
IMAGE = [plant for plant in ALL if plant.image]


@pytest.fixture(scope="module")
def stage(abacus_tasks: TaskTable) -> Stage:
    return stage_of(abacus_tasks)


def program(plants: Iterable[Plant]) -> list[str]:
    return [PRELUDE, *(plant.script for plant in plants)]


def missed(plants: Sequence[Plant], findings: Sequence[Finding]) -> list[str]:
    return [
        plant.name
        for plant in plants
        if not any(found.leak in plant.leaks and plant.place in found.place for found in findings)
    ]


def test_more_than_a_hundred_leaks_of_every_kind_are_planted() -> None:
    assert len({plant.name for plant in ALL}) == len(ALL) >= 100
    by_other_means = {"L08", "L15"}
    assert {leak for plant in ALL for leak in plant.leaks} | by_other_means == set(LEAKS)


@pytest.mark.parametrize("plant", ALONE, ids=lambda plant: plant.name)
def test_a_leak_of_its_own_is_found(stage: Stage, plant: Plant) -> None:
    with scan.start(stage.item) as sandbox:
        stage.plant(sandbox, *program([plant]))
        assert not missed([plant], scan.search_in(stage.item, sandbox).findings)


def test_leaks_in_the_work_tree_and_in_private_folders_are_found(stage: Stage) -> None:
    with scan.start(stage.item) as sandbox:
        stage.plant(sandbox, *program(EPISODE))
        assert missed(EPISODE, scan.search_in(stage.item, sandbox).findings) == []


def test_leaks_in_the_image_are_found(stage: Stage, tmp_path: Path) -> None:
    with stage.image(tmp_path, ("/opt/env",), *program(IMAGE)) as item:
        found = scan.search_image(item).findings
    assert missed(IMAGE, found) == []


def test_nothing_is_found_where_nothing_was_planted(abacus_tasks: TaskTable) -> None:
    searched = list(scan.scan(list(abacus_tasks), LocalExecutor(2), sandbox="auto"))
    assert [finding for each in searched for finding in each.findings] == []
    assert sum(each.files for each in searched) > 1_000


def test_what_a_busy_host_does_to_times_is_no_leak(stage: Stage) -> None:
    ready = stage.item.ready
    with sealing.written(ready.sealed, ready.testbed.backend, ready.testbed.spec) as tree:
        edited = tree / stage.item.wanted.files[0]
        os.utime(edited, (edited.stat().st_mtime + 5,) * 2)
        late = replace(stage.item, ready=replace(ready, spec=replace(ready.spec, tree=tree)))
        with scan.start(late) as sandbox:
            assert {finding.leak for finding in scan.search_in(late, sandbox).findings} == {"L17"}
        assert scan.search_task(late).findings == ()


def _row(task: TaskInstance, item: Prepared) -> set[str]:
    changed = replace(item, ready=replace(item.ready, task=task))
    return {finding.leak for finding in scan.of_row(changed.ready.task, changed.ready.testbed)}


def test_what_the_table_shows_is_searched(stage: Stage) -> None:
    task = stage.item.ready.task
    line = next(line[1:] for line in task.gold_patch.splitlines() if line.startswith("+ "))
    told = f"{task.problem_statement}\nIt should say if value < low: return low, no?"
    diff = task.gold_patch.replace(line, "    if value < low: return low" + line)
    assert _row(task, stage.item) == set()
    assert _row(replace(task, problem_statement=told, gold_patch=diff), stage.item) >= {"L15"}
    assert _row(replace(task, problem_statement=f"{task.FAIL_TO_PASS[0]} fails"), stage.item) == {"L14"}
    assert _row(replace(task, problem_statement=f"See {task.instance_id}"), stage.item) == {"L16"}
    quoted = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-x = \"a\"  # why\n+x = 'a'\n"
    assert _row(replace(task, bug_patch=quoted), stage.item) == {"L17"}


def test_names_and_ways_out_around_the_tree_are_judged(stage: Stage) -> None:
    task = stage.item.ready.task
    spec = stage.item.ready.spec
    named = replace(
        stage.item.ready, spec=replace(spec, env={**spec.env, "TASK": task.instance_id, "PIP_INDEX_URL": "x"})
    )
    findings = scan.search_task(replace(stage.item, ready=named)).findings
    assert {(f.leak, f.place) for f in findings if f.place == "environment"} == {
        ("L16", "environment"),
        ("L08", "environment"),
    }
    around = {"host_name": task.instance_id, "interfaces": ["lo", "eth0"], "reached": ["1.1.1.1:443"]}
    assert {f.leak for f in surroundings.of_names(around, task)} == {"L16"}
    assert len(list(surroundings.of_channels(around, task.instance_id))) == 2
    shared = {"mounts": ["1 2 8:1 /x /mnt/shared rw,relatime - ext4 /dev/sda rw"], "processes": ["sleep 9"]}
    assert [f.leak for f in surroundings.of_channels(shared, task.instance_id)] == ["L18", "L18"]


def test_evidence_names_every_finding(abacus_tasks: TaskTable) -> None:
    found = scan.evidence(
        abacus_tasks, list(abacus_tasks), [scan.Searched("x", (Finding("a", "L01", "b", "c"),), 1, 2)]
    )
    assert json.loads(json.dumps(found))["leaks"]["L01"] == 1
    assert found["findings"] == [{"instance_id": "a", "leak": "L01", "place": "b", "what": "c"}]
