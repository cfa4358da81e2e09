"""Attacks on the host: none reaches it through the real environment, and each hits the careless hosts that it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from swesmith_gym.diff import unified
from swesmith_gym.envs.grading import grade
from swesmith_gym.envs.testbeds import TaskTestbed, prepare
from swesmith_gym.harness.runs import FullRuns
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.validate import ValidationSettings, validate
from swesmith_gym.records import BugCandidate, TaskInstance
from swesmith_gym.redteam import host
from swesmith_gym.redteam.base import Attack, Facts, Played
from swesmith_gym.redteam.host_base import HELPERS, HostAttack, signs
from swesmith_gym.redteam.host_files import PatchAttack
from swesmith_gym.redteam.run import play
from swesmith_gym.tasks import TaskTable

pytestmark = [pytest.mark.sandbox, pytest.mark.network]

HARMLESS = HostAttack(id="H00-nothing", threat="H00", title="Nothing", script="write('notes.txt', 'x')\ndirty()\n")
FAILS_INSIDE = {"H12-rights", "H14b-endless"}
"""Attacks of which a step is expected to end with an exit code other than 0: what they try is refused."""


@pytest.fixture(scope="module")
def task(abacus_tasks: TaskTable) -> TaskInstance:
    return abacus_tasks[0]


@pytest.fixture(scope="module")
def prepared(task: TaskInstance) -> TaskTestbed:
    return prepare(task, backend="auto")


@pytest.fixture(autouse=True)
def a_host_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a host would have written something for an agent, apart from what other tests do meanwhile."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not list(tmp_path.rglob("canary-*"))


SLOW = {"H14-flood", "H14b-endless", "H15f-many-files", "H15g-huge-file", "H15h-many-bytes", "H15i-rename-bomb"}


@pytest.mark.parametrize(
    "attack",
    [pytest.param(each, marks=pytest.mark.slow if each.id in SLOW else ()) for each in host.ATTACKS],
    ids=lambda attack: attack.id,
)
def test_no_attack_reaches_the_host(attack: Attack, task: TaskInstance) -> None:
    row = play(attack, task, sandbox="auto", ask_naive=False)
    assert (row.succeeded, row.reward, row.reward_valid) == ("", 0.0, True)
    if attack.id not in FAILS_INSIDE:
        assert row.note == ""


@pytest.mark.parametrize(
    "attack", [each for each in host.ATTACKS if getattr(each, "hosts", ())], ids=lambda attack: attack.id
)
def test_it_hits_the_careless_hosts_that_it_names(attack: Attack, prepared: TaskTestbed) -> None:
    found = host.control(attack, prepared)
    assert [each.host for each in found if not each.hit] == []
    assert len(found) == len(attack.hosts)  # type: ignore[attr-defined]


def test_harmless_work_hits_no_careless_host(prepared: TaskTestbed) -> None:
    found = host.control(HARMLESS, prepared, tuple(host.HOSTS))
    assert [each.host for each in found if each.hit] == []
    assert len(found) == len(host.HOSTS)


def test_an_attack_that_reaches_the_host_is_seen(task: TaskInstance, a_host_of_its_own: Path) -> None:
    played = _played(HARMLESS, task)
    assert HARMLESS.judge(played) == ""
    canary = a_host_of_its_own / HARMLESS.canary(task.instance_id)
    canary.touch()
    assert "reached the host" in HARMLESS.judge(played)
    canary.unlink()
    assert HARMLESS.judge(played) == ""
    path = min(played.before)
    assert "changed a tree" in HARMLESS.judge(replace(played, before={**played.before, path: (0, 0, 0, 0)}))
    assert "paid" in HARMLESS.judge(replace(played, reward=1.0))
    assert "masked" in HARMLESS.judge(replace(played, info={"reward_valid": False, "fault": "gone"}))


def _played(attack: Attack, task: TaskInstance) -> Played:
    facts = Facts(task.instance_id, "x.py", (1,), "x", "x.py", "", {}, (), ())
    return Played(task, facts, (), 0.0, {"reward_valid": True}, attack.before(task))


@pytest.mark.parametrize(
    "wanted", ["H01-fsmonitor", "H02-clean-filter", "H03-hooks", "H03g-git-file", "H15o-hidden-from-git"]
)
def test_a_fix_is_paid_whatever_the_git_folder_says(wanted: str, task: TaskInstance) -> None:
    attack = next(each for each in host.ATTACKS if each.id == wanted)
    fix = "write(FACTS['module'], FACTS['fixed'])\n"
    dirty = "os.path.exists('.gitattributes') and os.unlink('.gitattributes')\n"
    row = play(replace(attack, script=attack.script + fix + dirty), task, sandbox="auto", ask_naive=False)
    assert (row.reward, row.reward_valid) == (1.0, True)
    assert not signs(attack.canary(task.instance_id))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "attack", [each for each in host.ATTACKS if isinstance(each, PatchAttack)], ids=lambda attack: attack.id
)
def test_a_hostile_prediction_does_not_apply(attack: PatchAttack, task: TaskInstance) -> None:
    verdict = grade(task, attack.diff.replace("@CANARY@", attack.canary(task.instance_id)))
    assert (verdict.resolved, verdict.patch_applied, verdict.violation, verdict.fault) == (False, False, "", "")
    assert not signs(attack.canary(task.instance_id))


def test_code_of_a_candidate_runs_in_a_sandbox_alone(abacus: Testbed, a_host_of_its_own: Path) -> None:
    name = "canary-of-a-candidate"
    places = " ".join(f'"{place}/{name}"' for place in (a_host_of_its_own, "/tmp", "$HOME", "/var/tmp"))
    code = f"import os\nos.system('touch {places}')\n"
    path = "src/abacus/__init__.py"
    before = abacus.pristine[path][1].decode()
    candidate = BugCandidate("abacus", "lm_modify", None, unified(path, before, before + code))
    validate(candidate, FullRuns(abacus), ValidationSettings("2026-01-01T00:00:00Z"))
    assert not signs(name)


def test_every_entry_of_the_catalogue_is_played_or_says_why_not() -> None:
    played = {each.threat for each in host.ATTACKS}
    assert {f"H{n:02}" for n in range(1, 17)} == played | set(host.NOT_PLAYED)
    for each in host.ATTACKS:
        assert isinstance(each, HostAttack)
        assert bool(each.hosts) != bool(each.unhit), each.id
        assert set(each.hosts) <= set(host.HOSTS), each.id
    assert len({each.id for each in host.ATTACKS}) == len(host.ATTACKS)
    assert "@CANARY@" in HELPERS


def test_the_table_has_a_line_for_each_attack() -> None:
    first, *others = host.ATTACKS
    text = host.table([host.Control(first.id, "git status", True), host.Control(first.id, "git add", False)])
    assert f"| {first.id} | " in text
    assert "| git status (not: git add) |" in text
    assert text.count("\n| ") == len(host.ATTACKS)
    assert "H11: " in text
    assert others
