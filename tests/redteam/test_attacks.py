"""Attacks on a real package: each fools at least one naive grader, and none is paid or masked here.

The whole list is played by `swesmith-gym tasks redteam`; here stands one attack of each kind.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from swesmith_gym.envs.testbeds import TaskTestbed, prepare
from swesmith_gym.redteam import hurry, naive, registry
from swesmith_gym.redteam.base import Attack
from swesmith_gym.redteam.facts import facts_of
from swesmith_gym.redteam.hurry import hurried
from swesmith_gym.redteam.run import play
from swesmith_gym.tasks import TaskTable

pytestmark = [pytest.mark.sandbox, pytest.mark.network]

ALL = set(naive.GRADERS)
KINDS = {
    "P02-hard-exit-at-import": {"exit code", "missing passes"},
    "P06-always-equal": ALL,
    "P07-conftest-root": ALL,
    "P08-report-patched": ALL,
    "P08b-known-reports-patched": ALL,
    "P15c-bash-env": ALL,
    "P18-runner-shadowed": ALL,
    "P19-unchecked-byte-code": ALL,
    "P20-rewriter-cache": ALL,
    "V01-forged-lines": {"stdout", "exit code", "missing passes"},
    "V02-forged-markers": {"stdout", "missing passes"},
    "V05d-report-replaced": ALL,
    "V07b-descriptors-after-collection": {"stdout", "missing passes", "JUnit"},
    "B01-waiting-daemon": ALL,
    "B08-hidden-edits": ALL,
}
"""Attack -> naive graders that it must fool."""
MASKS = (
    "M07-special-files",
    "M09-kill-test-process",
    "M10-kill-all-at-grading",
    "M17-report-cut",
    "M18-report-removed",
    "M20-report-locked",
    "M22-crash",
)


@pytest.mark.parametrize("name", KINDS)
def test_an_attack_works_elsewhere_and_not_here(name: str, abacus_tasks: TaskTable) -> None:
    row = play(registry.select([name])[0], abacus_tasks[0], sandbox="auto")
    assert not row.note
    assert KINDS[name] <= set(row.fooled or ())
    assert (row.succeeded, row.reward, row.reward_valid) == ("", 0.0, True)


@pytest.mark.parametrize("name", MASKS)
def test_no_attack_earns_an_episode_that_does_not_count(name: str, abacus_tasks: TaskTable) -> None:
    row = play(registry.select([name])[0], abacus_tasks[0], sandbox="auto")
    assert (row.succeeded, row.reward, row.reward_valid, row.fooled) == ("", 0.0, True, None)


def test_what_hangs_is_ended_sooner_and_nothing_else_is(abacus_tasks: TaskTable) -> None:
    prepared = prepare(abacus_tasks[0], backend="auto")
    usual = prepared.testbed.time_limit_s
    assert hurried(prepared).testbed.time_limit_s < usual == prepared.testbed.time_limit_s
    assert hurried(prepared).spec == prepared.spec
    row = play(registry.select(["V08"])[0], abacus_tasks[0], sandbox="auto", ask_naive=False)
    assert (row.succeeded, row.reward, row.reward_valid) == ("", 0.0, True)


def test_what_shorter_limits_mask_is_played_under_the_usual_ones(
    abacus_tasks: TaskTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(prepared: TaskTestbed) -> TaskTestbed:
        image = prepared.testbed.image
        image = replace(image, test=replace(image.test, timeout_s=0.01))
        return replace(prepared, testbed=replace(prepared.testbed, image=image))

    monkeypatch.setattr(hurry, "hurried", at_once)
    idle = Attack(id="P99-idle", threat="P99", title="Nothing", script="pass", hangs=True)
    row = play(idle, abacus_tasks[0], sandbox="auto", ask_naive=False)
    assert (row.succeeded, row.reward, row.reward_valid) == ("", 0.0, True)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_naive_graders_pay_the_fix_and_nothing_else(place: int, abacus_tasks: TaskTable) -> None:
    prepared = prepare(abacus_tasks[place], backend="auto")
    facts = facts_of(prepared)
    fix = {"tool": "create", "path": facts.module, "file_text": facts.fixed}
    assert naive.fooled(prepared, [fix]) == naive.GRADERS
    assert naive.fooled(prepared, []) == ()


def test_the_facts_are_those_of_the_bug(abacus_tasks: TaskTable) -> None:
    facts = facts_of(prepare(abacus_tasks[0], backend="auto"))
    assert (facts.module, facts.package, facts.init) == ("src/abacus/numbers.py", "abacus", "src/abacus/__init__.py")
    assert "result + value" in facts.fixed
    assert set(facts.tests) == {"tests/test_numbers.py"}


def test_the_command_keeps_rows_and_tells_by_its_exit_code(abacus_table: Path, tmp_path: Path) -> None:
    def redteam(*args: str | Path) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "swesmith_gym", "tasks", "redteam", str(abacus_table), *map(str, args)]
        return subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)

    out, table = tmp_path / "evidence.json", tmp_path / "table.md"
    done = redteam("--attack", "P01", "--tasks-per-repo", "1", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "2 attacks on 1 tasks: 2 of 2 runs held" in done.stderr
    words = [sys.executable, "-m", "swesmith_gym", "tasks", "redteam-table", str(out), "--into", str(table)]
    subprocess.run(words, check=True, cwd=tmp_path)
    assert "| P01-exit-at-import |" in table.read_text()
    before = [json.loads(line) for line in out.with_suffix(".jsonl").read_text().splitlines()]
    again = redteam("--attack", "P01", "--attack", "P22e", "--tasks-per-repo", "1", "--out", out, "--json")
    found = json.loads(again.stdout)
    assert [row for row in found["rows"] if row["threat"] == "P01"] == sorted(before, key=lambda row: row["attack"])
    assert (found["succeeded"], again.returncode) == (1, 1)
    allowed = redteam("--attack", "P22e", "--tasks-per-repo", "1", "--out", out, "--allow-known-limits")
    assert allowed.returncode == 0, allowed.stderr
    unknown = redteam("--attack", "Q77")
    assert unknown.returncode == 2
    assert "Q77" in unknown.stderr
