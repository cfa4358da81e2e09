"""The job behind `swesmith-gym run`: tables, their evidence and provenance; and what is counted of them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from samples import EDITS, bug

from swesmith_gym.bugs.registry import Means
from swesmith_gym.errors import InputError
from swesmith_gym.evaluation.verify import identity
from swesmith_gym.executors import SerialExecutor
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.lm.scripted import ScriptedLM
from swesmith_gym.pipeline import provenance, synthesis
from swesmith_gym.pipeline.configuration import SynthesisConfig
from swesmith_gym.pipeline.provenance import Dropped
from swesmith_gym.pipeline.spent import Spent
from swesmith_gym.pipeline.workplace import Workplace
from swesmith_gym.records import RejectedCandidate
from swesmith_gym.repos import profiles
from swesmith_gym.tasks import TaskTable, sealing
from swesmith_gym.viewer.statistics import by_operator, by_strategy


@pytest.mark.sandbox
@pytest.mark.network
def test_a_table_with_evidence_and_provenance_is_made_once(abacus: Testbed, tmp_path: Path) -> None:
    config = SynthesisConfig(("abacus",), "2026-01-01T00:00:00Z", limit=6, grading="impacted")
    place = Workplace(abacus.backend, SerialExecutor())
    (facts,) = synthesis.run(config, tmp_path, place)
    table = TaskTable.read(tmp_path / "abacus.parquet")
    evidence = json.loads((tmp_path / "abacus.verify.json").read_text())
    assert (evidence["gold_resolved"], evidence["nop_resolved"], evidence["problems"]) == (len(table), 0, [])
    assert facts["candidates"] == 6 == len(table) + sum(row["candidates"] for row in facts["dropped"])
    assert set(facts["spent_s"]) == {"making", "verification"}
    assert all(spent["wall"] > 0 and spent["cpu"] > 0 for spent in facts["spent_s"].values())
    (group,) = by_strategy(list(table), provenance.dropped(tmp_path))
    assert (group.candidates, group.instances) == (6, len(table))
    stamp = (tmp_path / "abacus.parquet").stat().st_mtime_ns
    assert synthesis.run(config, tmp_path, place) == [facts]
    assert (tmp_path / "abacus.parquet").stat().st_mtime_ns == stamp
    part = tmp_path / "work" / "abacus" / "procedural" / "tasks.parquet"
    stamp = part.stat().st_mtime_ns
    (again,) = synthesis.run(replace(config, warm=True), tmp_path, place)  # graded anew, and not made anew
    assert part.stat().st_mtime_ns == stamp
    assert {**again, **{name: facts[name] for name in ("configuration", "spent_s")}} == facts
    evidence = json.loads((tmp_path / "abacus.verify.json").read_text())
    assert (evidence["warm"], evidence["problems"]) == (True, [])


@pytest.mark.sandbox
@pytest.mark.network
def test_strategies_are_made_one_after_the_other_and_each_once(abacus: Testbed, tmp_path: Path) -> None:
    config = SynthesisConfig(("abacus",), "2026-01-01T00:00:00Z", limit=6, grading="impacted")
    place = Workplace(abacus.backend, SerialExecutor())
    (alone,) = synthesis.run(config, tmp_path, place)
    part = tmp_path / "work" / "abacus" / "procedural" / "tasks.parquet"
    stamp = part.stat().st_mtime_ns
    both = replace(config, strategies=("procedural", "combine_module", "combine_file"), limits={"combine_file": 2})
    (facts,) = synthesis.run(both, tmp_path, place)
    assert part.stat().st_mtime_ns == stamp
    table = TaskTable.read(tmp_path / "abacus.parquet")
    counts = Counter(task.strategy for task in table)
    assert counts["procedural"] == alone["tasks"]
    assert counts["combine_file"] + counts["combine_module"] == len(table) - alone["tasks"] > 0
    assert counts["combine_file"] <= 2
    assert facts["candidates"] == len(table) + sum(row["candidates"] for row in facts["dropped"])
    evidence = json.loads((tmp_path / "abacus.verify.json").read_text())
    assert (evidence["gold_resolved"], evidence["nop_resolved"], evidence["problems"]) == (len(table), 0, [])
    assert evidence["table"] == identity(table)


def test_model_and_prompts_are_looked_at_before_anything_is_built(home: Path, tmp_path: Path) -> None:
    config = SynthesisConfig(("h11",), "2026-01-01T00:00:00Z", strategies=("procedural", "lm_modify"))
    said: list[str] = []
    place = Workplace(cast("Any", None), SerialExecutor(), said.append)
    with pytest.raises(InputError, match="none is named: give --model"):
        synthesis.run(config, tmp_path, place)
    (tmp_path / "class_basic.toml").write_text('temperature = "hot"\nuser = "$code"\n')
    with pytest.raises(InputError, match="`temperature` must be a number from 0 to 2"):
        synthesis.run(config, tmp_path, place, Means(lm=ScriptedLM([]), prompts=tmp_path))
    with pytest.raises(InputError, match="no such folder"):
        synthesis.run(config, tmp_path, place, Means(lm=ScriptedLM([]), prompts=tmp_path / "nowhere"))
    assert said == []


@pytest.mark.sandbox
@pytest.mark.network
def test_a_repository_that_cannot_be_built_does_not_keep_the_others_from_it(abacus: Testbed, tmp_path: Path) -> None:
    profiles.save(replace(profiles.load("abacus"), name="broken", source_hash="0" * 64), "")
    config = SynthesisConfig(("broken", "abacus"), "2026-01-01T00:00:00Z", limit=1, grading="impacted")
    broken, made = synthesis.run(config, tmp_path, Workplace(abacus.backend, SerialExecutor()))
    assert broken["repo"] == "broken"
    assert "hash" in broken["failed"]
    assert made["repo"] == "abacus"
    assert [path.name for path in tmp_path.glob("*.parquet")] == ["abacus.parquet"]


@pytest.mark.sandbox
@pytest.mark.network
def test_a_task_whose_bug_breaks_other_tests_when_it_is_verified_is_rejected(abacus: Testbed, tmp_path: Path) -> None:
    """As if one of its tests had passed with the bug by chance when it was validated."""
    config = SynthesisConfig(("abacus",), "2026-01-01T00:00:00Z", limit=40, grading="impacted")
    place = Workplace(abacus.backend, SerialExecutor())
    (before,) = synthesis.run(config, tmp_path, place)
    part = tmp_path / "work" / "abacus" / "procedural" / "tasks.parquet"
    tasks = list(TaskTable.read(part))
    number = next(number for number, task in enumerate(tasks) if len(task.FAIL_TO_PASS) > 1)
    chance, *others = tasks[number].FAIL_TO_PASS
    passed = tuple(sorted((*tasks[number].PASS_TO_PASS, chance)))
    baseline = tuple(abacus.image.baseline)
    sealed = sealing.seal(abacus.pristine, tasks[number].bug_patch, others, baseline, abacus.language)
    lists: dict[str, Any] = {"FAIL_TO_PASS": tuple(others), "PASS_TO_PASS": passed}
    tasks[number] = replace(tasks[number], **lists, sealed_digest=sealed.digest)
    TaskTable(tasks).write(part)
    (after,) = synthesis.run(config, tmp_path, place)
    assert after["rejected"] == {**before["rejected"], "flaky": 1}
    table = TaskTable.read(tmp_path / "abacus.parquet")
    assert [task.instance_id for task in table] == [task.instance_id for task in tasks if task is not tasks[number]]
    evidence = json.loads((tmp_path / "abacus.verify.json").read_text())
    assert (evidence["gold_resolved"], evidence["nop_resolved"], evidence["problems"]) == (len(table), 0, [])
    assert synthesis.run(config, tmp_path, place) == [after]


def rejected(operator: str | None, reason: str, cost: float | None = 0.0) -> RejectedCandidate:
    return RejectedCandidate(bug(*EDITS[0], operator=operator, cost_usd=cost), reason)


def test_dropped_candidates_are_counted_by_operator_and_reason(tmp_path: Path) -> None:
    rows = [rejected("b", "timeout"), rejected("a", "timeout", 0.5), rejected("a", "timeout", 0.25)]
    rows += [rejected("a", "no_failing_test", None), rejected(None, "timeout")]
    groups = provenance.grouped(rows)
    assert groups == [
        Dropped("procedural", None, "timeout", 1, 0.0),
        Dropped("procedural", "a", "no_failing_test", 1, None),
        Dropped("procedural", "a", "timeout", 2, 0.75),
        Dropped("procedural", "b", "timeout", 1, 0.0),
    ]
    (tmp_path / "t.provenance.json").write_text(json.dumps({"dropped": provenance.rows(groups)}))
    assert provenance.dropped(tmp_path / "t.parquet") == groups
    assert [(each.name, each.candidates) for each in by_operator([], groups)] == [("a", 3), ("b", 1)]


def test_yields_are_unknown_where_one_table_does_not_say(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.parquet").touch()
    (tmp_path / "a.provenance.json").write_text('{"dropped": []}')
    assert provenance.dropped(tmp_path) is None
    (tmp_path / "b.provenance.json").write_text("{}")
    assert provenance.dropped(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "said"), [("{", "not readable as JSON"), ("[]", "not a list"), ('{"dropped": [{"x": 1}]}', "'dropped'")]
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.provenance.json").write_text(text)
    with pytest.raises(InputError, match=rf"t\.provenance\.json: .*{said}"):
        provenance.dropped(tmp_path / "t.parquet")


def test_time_is_counted_over_all_runs_and_when_broken_off(tmp_path: Path) -> None:
    spent = Spent(tmp_path / "work" / "spent.json")
    assert spent.read() == {}
    spent.path.parent.mkdir()
    spent.path.write_text(json.dumps({"making": [100.0, 50.0], "other": [1.0, 2.0]}))
    with pytest.raises(TypeError), spent.on("making"):
        sum([*range(5_000_000), None])  # type: ignore[list-item]
    found = spent.read()
    assert found["other"] == (1.0, 2.0)
    assert found["making"][0] >= 100.0
    assert found["making"][1] > 50.0
    spent.path.write_text("[1]")
    assert spent.read() == {}
