"""A dataset card's measured part: what it says, and what it wants beside the tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from report_samples import rejected, task

from swesmith_gym.errors import InputError
from swesmith_gym.evaluation.verify import Check, evidence
from swesmith_gym.pipeline import provenance
from swesmith_gym.tasks import TaskTable
from swesmith_gym.viewer import card


def folder(root: Path, *, spent: bool = True) -> Path:
    """Two packages, of two tasks and of one."""
    for number, name in enumerate(("alpha", "beta")):
        rows = [replace(task(10 * number + k), repo=name, reruns=3) for k in range(2 - number)]
        table = TaskTable(rows)
        table.write(root / f"{name}.parquet")
        checks = [Check(each.instance_id, kind, 0, kind == "gold") for each in rows for kind in ("gold", "nop")]
        (root / f"{name}.verify.json").write_text(json.dumps(evidence(table, checks, 1)))
        lost = [rejected(), rejected("drop_await")]
        facts = {
            "repo": name,
            "source": f"pypi:{name}==1",
            "license": "MIT | <b>",
            "interpreter": "3.11.2",
            "candidates": len(rows) + 2,
            "rejected": {"no_failing_test": 2},
            "dropped": provenance.rows(provenance.grouped(lost)),
        }
        times = {"making": {"wall": 3600.0, "cpu": 5400.0}, "verification": {"wall": 720.0, "cpu": 360.0}}
        (root / f"{name}.provenance.json").write_text(json.dumps({**facts, **({"spent_s": times} if spent else {})}))
    return root


def test_it_says_what_there_is_and_what_it_took(tmp_path: Path) -> None:
    text = card.markdown(folder(tmp_path))
    for said in (
        "3 tasks from 2 packages, 0.0 MB.",
        "Gold scored 1 in 3 of 3 gradings, nop in 0 of 3.",
        "3 tasks ran 3 times more, with the bug and without.",
        "Wall-clock time: making 2.0 h (CPU 3.0 h), verification 0.4 h (CPU 0.2 h).",
        "| procedural | 7 | 3 (15,641) | 42.9 (40.2) | 0 (0) | 1 (7) | 3 (5) |",
        "| drop_await | 2 | 0 | 0 | unknown |",
        "| alpha | `pypi:alpha==1` | MIT \\| &lt;b> | 3.11.2 | 4 | 2 | 2 | 2 no_failing_test |",
    ):
        assert said in text


def test_it_stands_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"# Mine\n\n{card.MARKS[0]}\nold\n{card.MARKS[1]}\n\nend\n")
    card.write(folder(tmp_path), page)
    text = page.read_text()
    assert text.startswith("# Mine\n\n")
    assert text.endswith("\n\nend\n")
    assert "old\n" not in text
    card.write(tmp_path, page)
    assert page.read_text() == text
    page.write_text("no marks")
    with pytest.raises(InputError, match="no place"):
        card.write(tmp_path, page)


def test_what_is_not_known_of_all_is_not_said(tmp_path: Path) -> None:
    assert "Wall-clock" not in card.markdown(folder(tmp_path, spent=False))


def test_a_table_without_its_facts_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no task table"):
        card.markdown(tmp_path)
    folder(tmp_path)
    (tmp_path / "beta.verify.json").write_text("{")
    with pytest.raises(InputError, match=r"beta\.verify\.json: not JSON"):
        card.markdown(tmp_path)
    (tmp_path / "beta.verify.json").unlink()
    with pytest.raises(InputError, match=r"beta\.parquet: provenance and evidence are missing"):
        card.markdown(tmp_path)
