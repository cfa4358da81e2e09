"""Candidate files name the bad line; a ledger survives a torn write and refuses other settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from swesmith_gym.errors import InputError
from swesmith_gym.pipeline import candidates
from swesmith_gym.pipeline.ledger import Ledger
from swesmith_gym.records import BugCandidate, RejectedCandidate

ROW = {"repo": "r", "strategy": "procedural", "operator": None, "bug_patch": "--- a/x\n", "cost_usd": 0.0, "extra": 1}


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(line + "\n" for line in lines))
    return path


def test_an_id_is_computed_where_the_input_has_none(tmp_path: Path) -> None:
    (found,) = candidates.read(write(tmp_path / "c.jsonl", json.dumps(ROW), ""))
    assert found.candidate_id == candidates.identify(found)
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
