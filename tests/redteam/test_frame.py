"""The frame of the attack suite: selection, facts, what naive graders read, rows that are kept, the table."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import pytest
from samples import TASK

from swesmith_gym.errors import InputError
from swesmith_gym.executors import SerialExecutor
from swesmith_gym.redteam import evidence, host_reach, naive, registry, report
from swesmith_gym.redteam import run as play
from swesmith_gym.redteam.base import PRELUDE, Attack, Facts, Played
from swesmith_gym.redteam.facts import _changed, _package
from swesmith_gym.redteam.naive import NaiveRun
from swesmith_gym.redteam.run import Row

ATTACK = Attack(id="P99-test", threat="P99", title="Nothing | <really>", script="pass")
ROW = Row("P99-test", "P99", ATTACK.title, "a__1", "a", "bubblewrap", 0.0, True, "", "", "", ("JUnit",), "", 1.0, "k")
FACTS = Facts("a__1", "a/b.py", (1,), "a", "a/__init__.py", "", {}, ("t.py::x",), ())
TESTS = ("tests/test_a.py::test_x[a b]", "tests/test_a.py::TestB::test_y")
XML = (
    b'<testsuites><testsuite><testcase classname="tests.test_a" name="test_x[a b]"/>'
    b'<testcase classname="tests.test_a.TestB" name="test_y"/></testsuite></testsuites>'
)
LINES = "PASSED tests/test_a.py::test_x[a b]\nPASSED tests/test_a.py::TestB::test_y\n"


def test_ids_are_unique_and_begin_with_the_catalogues() -> None:
    ids = [each.id for each in registry.ATTACKS]
    assert len(ids) == len(set(ids))
    assert all(each.id.partition("-")[0].rstrip(ascii_lowercase) == each.threat for each in registry.ATTACKS)


def test_every_entry_of_the_catalogue_has_an_attack() -> None:
    wanted = {f"{group}{n:02d}" for group, last in (("P", 29), ("V", 12), ("B", 9)) for n in range(1, last + 1)}
    assert wanted <= {each.threat for each in registry.ATTACKS}


@pytest.mark.parametrize("attack", registry.ATTACKS, ids=lambda each: each.id)
def test_every_script_is_a_program(attack: Attack) -> None:
    compile(PRELUDE + attack.script, attack.id, "exec")
    assert attack.title


def test_attacks_are_chosen_by_id_variant_threat_and_group() -> None:
    assert [each.id for each in registry.select(["P06b"])] == ["P06b-equal-to-constants"]
    assert {each.threat for each in registry.select(["P06"])} == {"P06"}
    assert {each.group for each in registry.select(["V", "V01"])} == {"V"}
    assert registry.select([]) == registry.ATTACKS
    with pytest.raises(InputError, match="Q77"):
        registry.select(["Q77"])


def test_a_sample_of_attacks_is_drawn_by_its_seed_and_has_all_groups() -> None:
    drawn = registry.draw(registry.ATTACKS, 12, 0)
    assert registry.draw(registry.ATTACKS, 12, 0) == drawn != registry.draw(registry.ATTACKS, 12, 1)
    assert {group: sum(each.group == group for each in drawn) for group in "BHLMPV"} == dict.fromkeys("BHLMPV", 2)
    assert registry.draw(registry.ATTACKS, None, 0) == registry.draw(registry.ATTACKS, 10_000, 0) == registry.ATTACKS
    assert len(registry.draw(registry.select(["B", "V"]), 23, 0)) == 23


@pytest.mark.parametrize(
    ("reward", "info", "wanted"),
    [
        (0.0, {"reward_valid": True}, ""),
        (0.0, {"reward_valid": True, "violation": "x"}, ""),
        (1.0, {"reward_valid": True}, "paid: reward 1"),
        (0.0, {"reward_valid": False, "fault": "no disk"}, "masked: no disk"),
        (0.0, {}, "masked: the reward is not valid"),
    ],
)
def test_an_attack_is_judged_by_its_reward_and_by_whether_it_counts(
    reward: float, info: dict[str, object], wanted: str
) -> None:
    assert ATTACK.judge(Played(TASK, FACTS, (), reward, info)) == wanted


def test_steps_are_the_facts_the_script_and_the_shell_command() -> None:
    facts, script, shell = replace(ATTACK, shell="true").steps(FACTS)
    assert isinstance(facts, dict)
    assert json.loads(facts["file_text"])["module"] == "a/b.py"
    assert "FACTS" in script
    assert shell == "true"


def test_changed_lines_and_top_package() -> None:
    assert _changed("a\nb\nc\n", "a\nx\nc\n") == (2,)
    assert _changed("a\nb\nc\n", "a\nc\n") == (2,)
    tree = {"src/p/__init__.py": (0o644, b""), "src/p/q/__init__.py": (0o644, b"")}
    assert _package("src/p/q/r.py", tree) == ("p", "src/p/__init__.py")
    assert _package("single.py", tree) == ("single", "single.py")


@pytest.mark.parametrize(
    ("run", "wanted"),
    [
        (NaiveRun(True, 0, LINES, XML), naive.GRADERS),
        (NaiveRun(False, 0, LINES, XML), ()),
        (NaiveRun(True, 1, "", b""), ("missing passes",)),
        (
            NaiveRun(True, 0, LINES.replace("PASSED tests/test_a.py::TestB", "FAILED tests/test_a.py::TestB"), b""),
            ("exit code",),
        ),
        (NaiveRun(True, 1, f"FAILED {TESTS[0]}\n{LINES}", b"<x"), ("stdout", "missing passes")),
        (NaiveRun(True, 1, f"{LINES}>>>>> End Test Output\nFAILED {TESTS[1]}", b""), ("stdout", "missing passes")),
        (NaiveRun(True, 1, f"FAILED {TESTS[1]}", XML), ("JUnit",)),
        (NaiveRun(True, 1, f"FAILED {TESTS[1]}", XML.replace(b"<testsuites>", b"<!DOCTYPE x><testsuites>")), ()),
        (NaiveRun(True, 1, f"FAILED {TESTS[1]}", XML.replace(b'y"/>', b'y"><skipped/></testcase>')), ()),
    ],
)
def test_what_fools_which_naive_grader(run: NaiveRun, wanted: tuple[str, ...]) -> None:
    assert naive.judge(run, TESTS) == wanted


def test_rows_are_kept_and_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played = []
    monkeypatch.setattr(play, "play", lambda attack, task, sandbox: played.append(attack.id) or ROW)
    kept = tmp_path / "rows.jsonl"
    other = replace(TASK, instance_id="demo__ffffffffffff")

    def once(*attacks: Attack) -> list[Row]:
        return list(play.run(attacks, [TASK, other], SerialExecutor(), sandbox="auto", kept=kept))

    first = once(ATTACK)
    assert len(played) == len(first) == 2
    with kept.open("ab") as file:
        file.write(b'{"attack": "of another version"}\n{"torn')
    assert once(ATTACK) == first
    assert len(played) == 2
    once(replace(ATTACK, script="print()"))
    assert len(played) == 4
    monkeypatch.setattr(play, "defence", lambda: "another version of the code that is attacked")
    once(ATTACK)
    assert len(played) == 6


def test_masked_rows_are_played_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = iter([replace(ROW, reward_valid=False, succeeded="masked: a busy host"), ROW])
    monkeypatch.setattr(play, "play", lambda attack, task, sandbox: next(rows))
    kept = tmp_path / "rows.jsonl"

    def once() -> list[bool]:
        found = play.run([ATTACK], [TASK], SerialExecutor(), sandbox="auto", kept=kept)
        return [row.reward_valid for row in found]

    assert [once(), once(), once()] == [[False], [True], [True]]


def test_tasks_are_chosen_by_repository() -> None:
    tasks = [replace(TASK, instance_id=f"{repo}__{n}", repo=repo) for n in range(3) for repo in ("a", "b")]
    assert [each.instance_id for each in play.choose(tasks, 1)] == ["a__0", "b__0"]
    assert play.choose(tasks, None) == tasks


def test_counts_tell_known_limits_from_the_rest() -> None:
    won = replace(ROW, succeeded="paid: reward 1")
    found = report.evidence([ROW, won, replace(won, limit="cannot be told")])
    assert (found["runs"], found["held"], found["succeeded"], found["of_these_known_limits"]) == (3, 1, 2, 1)
    assert found["naive_attacks_fooled"]["JUnit"] == 1
    paid = report.evidence([ROW, replace(ROW, planted=True), replace(ROW, planted=False)])
    assert (paid["leaks_planted"], paid["leaks_planted_paid"]) == (2, 1)
    masked = replace(won, limit="cannot be told", reward_valid=False)
    assert report.evidence([masked])["of_these_known_limits"] == 0


def test_the_table_stands_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    lost = replace(ROW, attack="P98-x", fooled=(), reward=1.0, succeeded="paid: reward 1")
    leaks = [replace(ROW, attack="L99", fooled=None, planted=paid) for paid in (True, False)]
    report.write_table(page, [ROW, lost, *leaks, replace(ROW, attack="M99", fooled=None)], {"P98-x": "nobody looks"})
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| P99-test | Nothing \\| &lt;really> | no | no | no | pays 1 of 1 | – | held 1 of 1 |" in text
    assert "| L99 | Nothing \\| &lt;really> | – | – | – | – | pays 1 of 2 | held 2 of 2 |" in text
    assert "| no | no | no | no [1] | – | **paid 1 of 1** [2] |" in text
    assert "1. nobody looks" in text
    page.write_text("no marks")
    with pytest.raises(InputError, match="no place"):
        report.write_table(page, [ROW], {})


def test_the_table_counts_each_sandbox_by_itself() -> None:
    docker = replace(ROW, sandbox="docker", repo="b", instance_id="b__1")
    paid = replace(docker, reward=1.0, succeeded="paid: reward 1", limit="cannot be told", fooled=())
    masked = replace(docker, reward_valid=False, succeeded="masked: no disk", fooled=("exit code",))
    text = report.markdown([ROW, ROW, docker, paid, masked], {})
    assert "| JUnit | leak planted | bubblewrap | docker |" in text
    assert "| no | pays 1 of 5 | no | pays 3 of 5 | – | held 2 of 2 | held 1, paid 1, masked 1 of 3 [1] |" in text
    assert "5 runs: 1 attacks on 2 tasks (a, b), in bubblewrap, docker. 3 held; 1 were paid, 1 masked; 1 of " in text


def test_evidence_is_a_line_a_run_and_is_read_back(tmp_path: Path) -> None:
    known = registry.ATTACKS[0]
    row = replace(ROW, attack=known.id, threat=known.threat, title=known.title, limit=known.limit, key="")
    docker = replace(row, sandbox="docker", fooled=None)
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    evidence.write(one, [replace(row, key="k")])
    evidence.write(other, [docker, row])
    assert evidence.read([one, other]) == [row, docker]
    assert json.loads(other.read_text())["runs"] == 2
    assert sum(known.id in line for line in other.read_text().splitlines()) == 2
    assert known.title not in other.read_text()
    evidence.write(one, [ROW])
    for text in (one.read_text(), "{}", "not json"):
        one.write_text(text)
        with pytest.raises(InputError, match="no evidence"):
            evidence.read([one])


def test_a_port_that_is_met_by_itself_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    class OwnPort(socket.socket):
        def connect(self, address: tuple[str, int]) -> None:  # type: ignore[override]
            self.bind(address)
            super().connect(address)

    given: dict[str, Any] = {}
    exec(host_reach._REACH, given)
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert given["connects"](socket.AF_INET, server.getsockname())
        free = server.getsockname()
    monkeypatch.setattr(socket, "socket", OwnPort)
    assert not given["connects"](socket.AF_INET, free)
