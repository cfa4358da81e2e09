"""Candidate files name the bad line; a ledger survives a torn write and refuses other settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from swesmith_gym import jsonl
from swesmith_gym.errors import InputError
from swesmith_gym.pipeline import candidates
from swesmith_gym.pipeline.configuration import read_config
from swesmith_gym.pipeline.ledger import Ledger
from swesmith_gym.records import BugCandidate, RejectedCandidate, content_id

ROW = {"repo": "r", "strategy": "procedural", "operator": None, "bug_patch": "--- a/x\n", "cost_usd": 0.0, "extra": 1}


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(line + "\n" for line in lines))
    return path


def test_an_id_is_computed_where_the_input_has_none(tmp_path: Path) -> None:
    (found,) = candidates.read(write(tmp_path / "c.jsonl", json.dumps(ROW), ""))
    assert found.candidate_id == content_id(found.repo, found.bug_patch)[:16]
    assert found.bug_patch == ROW["bug_patch"]


def test_round_trip(tmp_path: Path) -> None:
    made = BugCandidate("r", "procedural", "op", "--- a/é\r\n", "why", 4, None, "id")
    candidates.write(tmp_path / "c.jsonl", [made])
    assert candidates.read(tmp_path / "c.jsonl") == [made]


def test_rejected_rows_carry_reason_and_detail(tmp_path: Path) -> None:
    made = BugCandidate("r", "procedural", "op", "x", candidate_id="id")
    candidates.write_rejected(tmp_path / "r.jsonl", [RejectedCandidate(made, "timeout", "too long")])
    assert candidates.read_rejected(tmp_path / "r.jsonl") == [RejectedCandidate(made, "timeout", "too long")]
    row = json.loads((tmp_path / "r.jsonl").read_text())
    assert (row["candidate_id"], row["reason"], row["detail"]) == ("id", "timeout", "too long")


def test_a_rejected_row_may_have_no_patch_but_a_candidate_must(tmp_path: Path) -> None:
    made = RejectedCandidate(BugCandidate("r", "lm_modify", "op", "", candidate_id="id"), "no_code", "it said nothing")
    candidates.write_rejected(tmp_path / "r.jsonl", [made])
    assert candidates.read_rejected(tmp_path / "r.jsonl") == [made]
    with pytest.raises(InputError, match="line 1: the field 'bug_patch' must be text and not empty"):
        candidates.read(tmp_path / "r.jsonl")
    row = json.loads((tmp_path / "r.jsonl").read_text())
    bad = write(tmp_path / "bad.jsonl", json.dumps({**row, "bug_patch": None}))
    with pytest.raises(InputError, match="line 1: the field 'bug_patch'"):
        candidates.read_rejected(bad)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2: not JSON"),
        ("[1]", "line 2: a candidate is a JSON object"),
        (json.dumps({**ROW, "repo": ""}), "line 2: the field 'repo'"),
        (json.dumps({k: v for k, v in ROW.items() if k != "bug_patch"}), "line 2: the field 'bug_patch'"),
        (json.dumps({**ROW, "seed": "one"}), "line 2: the field 'seed'"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        candidates.read(write(tmp_path / "c.jsonl", json.dumps(ROW), line))


def test_a_ledger_resumes_after_a_torn_write(tmp_path: Path) -> None:
    path = tmp_path / "l"
    with Ledger(path, {"a": (1, 2)}) as ledger:
        ledger.add("x", {"v": 1})
    with path.open("a") as file:
        file.write('{"key": "y", "ro')
    with Ledger(path, {"a": [1, 2]}) as ledger:
        assert ledger.done == {"x": {"v": 1}}
        ledger.add("y", {"v": 2})
    with Ledger(path, {"a": [1, 2]}) as ledger:
        assert ledger.done == {"x": {"v": 1}, "y": {"v": 2}}
        ledger.finish()
    assert not path.exists()


def test_a_ledger_of_other_settings_is_refused(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l", {"a": 1}) as ledger:
        ledger.add("x", 1)
    with pytest.raises(InputError, match="other settings"), Ledger(tmp_path / "l", {"a": 2}):
        pass


def test_a_ledger_is_of_one_run_at_a_time(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l", {"a": 1}) as ledger:
        ledger.add("x", 1)
        with pytest.raises(InputError, match="another run is writing here"), Ledger(tmp_path / "l", {"a": 1}):
            pass
    with Ledger(tmp_path / "l", {"a": 1}) as ledger:
        assert ledger.done == {"x": 1}


def test_a_long_torn_line_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    jsonl.append(path, {"a": 1})
    with path.open("a") as file:
        file.write("x" * 200_000)
    jsonl.append(path, {"a": 2})
    assert [json.loads(line) for _, line in jsonl.lines(path)] == [{"a": 1}, {"a": 2}]
    torn = tmp_path / "torn"
    torn.write_text("x" * 200_000)
    jsonl.append(torn, 3)
    assert torn.read_text() == "3\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("repos = [1]\ncreated_at = '2026-01-01'", "must be a list of names"),
        ("repos = ['h11']\ncreated_at = 'x'", "not ISO 8601"),
        ("repos = ['h11']\ncreated_at = '2026-01-01'\nrounds = 0", "'rounds' must be 1 or more"),
        ("repos = ['h11']\ncreated_at = '2026-01-01'\nlimit = true", "'limit' must be 1 or more"),
        ("repos = ['h11']\ncreated_at = '2026-01-01'\nissues = 'poem'", "poem"),
        ("repos = ['h11']\ncreated_at = '2026-01-01'\ngrading = 'half'", "'grading' must be one of full, impacted"),
        ("repos = ['h11']\ncreated_at = '2026-01-01'\nseeds = 1", "unknown field 'seeds'"),
        ("repos = ['h11']\ncreated_at = '2026-01-01'\nlimits = 6", "'limits' must be a table of .* not 6"),
        ("repos = [", "not TOML"),
    ],
)
def test_a_configuration_names_its_fault(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        read_config(path)
