"""The validation job around the harness: what it refuses at once, and whose time stamp a resumed run bears."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from samples import EDITS, bug

from swesmith_gym.errors import InputError
from swesmith_gym.executors import SerialExecutor
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.validate import ValidationSettings
from swesmith_gym.pipeline import generation
from swesmith_gym.pipeline.candidates import read_rejected
from swesmith_gym.pipeline.statements import Writing
from swesmith_gym.pipeline.validation import ValidationJob, run
from swesmith_gym.pipeline.workplace import Workplace
from swesmith_gym.records import REJECTION_REASONS

pytestmark = [pytest.mark.sandbox, pytest.mark.network]
FIRST, SECOND = "2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z"


def stop(done: int, total: int, note: str) -> None:
    if done:
        raise KeyboardInterrupt


def make(abacus: Testbed, folder: Path) -> ValidationJob:
    candidates = [bug(*edit) for edit in EDITS[:2]]
    out, rejected = folder / "t.parquet", folder / "r.jsonl"
    return ValidationJob(candidates, {"abacus": abacus}, out, rejected, ValidationSettings(FIRST))


@pytest.mark.parametrize(("mode", "said"), [("lm", "needs a language model"), ("typo", "choose one of static, tests")])
def test_a_mode_that_cannot_be_is_refused_before_a_ledger_is_opened(
    abacus: Testbed, tmp_path: Path, mode: str, said: str
) -> None:
    job = replace(make(abacus, tmp_path), issues=Writing(mode))
    with pytest.raises(InputError, match=f"{mode}.*{said}"):
        run(job, Workplace(abacus.backend, SerialExecutor()))
    assert not list(tmp_path.iterdir())


def test_a_resumed_run_bears_the_first_stamp(abacus: Testbed, tmp_path: Path) -> None:
    job = make(abacus, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(job, Workplace(abacus.backend, SerialExecutor(), progress=stop))
    assert json.loads(job.ledger.read_text().splitlines()[0])["notes"] == {"created_at": FIRST}
    later = replace(job, settings=ValidationSettings(SECOND))
    with pytest.raises(InputError, match=f"other settings .--created-at {FIRST}"):
        run(replace(later, stamp_is_given=True), Workplace(abacus.backend, SerialExecutor()))
    table, _ = run(later, Workplace(abacus.backend, SerialExecutor()))
    assert [task.created_at for task in table] == [FIRST, FIRST]
    assert [task.statement_mode for task in table] == ["tests", "tests"]


def test_what_generation_leaves_out_is_kept(abacus: Testbed, tmp_path: Path) -> None:
    made = generation.run(
        "abacus",
        Workplace(abacus.backend, SerialExecutor()),
        ["procedural"],
        tmp_path / "c.jsonl",
        rejected=tmp_path / "left-out.jsonl",
    )
    rows = read_rejected(tmp_path / "left-out.jsonl")
    assert len(rows) == sum(made["rejected"].values()) > 0
    assert {row.reason for row in rows} == set(made["rejected"]) <= set(REJECTION_REASONS)
