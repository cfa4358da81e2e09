"""The conformance suite from a shell, and what it writes down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from swesmith_gym.errors import InputError, SandboxUnavailable
from swesmith_gym.sandboxes.bubblewrap import Bubblewrap
from swesmith_gym.sandboxes.conformance import CASES, Finding, Status, table

BY_ID = {case.id: case for case in CASES}


def findings_of(*statuses: tuple[str, Status, str]) -> tuple[Finding, ...]:
    return tuple(Finding(BY_ID[case], status, detail, 0.5) for case, status, detail in statuses)


COLUMNS = [
    table.Column("one", findings_of(("R01", Status.PASSED, ""), ("R08", Status.NOT_PROMISED, "no disk_limit"))),
    table.Column(
        "two",
        findings_of(("R01", Status.FAILED, "a|b <c>"), ("R08", Status.NOT_PROMISED, "no disk_limit")),
    ),
]


def test_table_has_a_row_for_each_case_and_reasons_below() -> None:
    lines = table.markdown(COLUMNS).splitlines()
    assert lines[0] == "| case | | one | two |"
    assert lines[2] == "| R01 | **resources**: fork bomb | pass | **FAIL** [1] |"
    assert "| R08 | disk fill of writable layer | not promised [2] | not promised [2] |" in lines
    assert "| S10 | docker socket absent | – | – |" in lines
    assert lines[-2:] == ["1. a\\|b &lt;c>", "2. no disk_limit"]


def test_table_is_written_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Head\n\n{table.BEGIN}\nearlier\n{table.END}\n\ntail\n")
    for _ in range(2):
        table.write_table(page, COLUMNS)
        text = page.read_text()
        assert text.startswith(f"# Head\n\n{table.BEGIN}\n\n| case |")
        assert text.endswith(f"{table.END}\n\ntail\n")
        assert "earlier" not in text
    table.write_table(tmp_path / "new.md", COLUMNS)
    assert (tmp_path / "new.md").read_text().endswith(f"{table.END}\n")
    page.write_text("# No place\n")
    with pytest.raises(InputError, match="no place"):
        table.write_table(page, COLUMNS)


def test_findings_survive_as_json() -> None:
    assert [table.column(json.loads(json.dumps(each.plain()))) for each in COLUMNS] == COLUMNS
    with pytest.raises(InputError):
        table.column({"title": "x", "findings": [{"id": "Z99"}]})


def command_line(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    return subprocess.run(
        [sys.executable, "-m", "swesmith_gym.sandboxes.conformance", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.sandbox
def test_from_a_shell(tmp_path: Path) -> None:
    try:
        Bubblewrap().capabilities()
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    words = ("--sandbox", "bubblewrap", "--case", "T10", "--case", "R08", "--json", "found.json", "--table", "found.md")
    done = command_line(*words, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "T10 passed" in done.stderr
    assert "R08 not_promised" in done.stderr
    assert "| T10 | exit 124/137 without timeout | pass |" in (tmp_path / "found.md").read_text()
    own = ("--sandbox", "flawed:Unfit", "--case", "T10", "--add", "found.json", "--table", "found.md")
    done = command_line(*own, folder=tmp_path)
    assert done.returncode == 1
    assert "T10 failed" in done.stderr
    assert "| pass | **FAIL** [2] |" in (tmp_path / "found.md").read_text()


@pytest.mark.parametrize(
    "words", [("--sandbox", "nobody"), ("--sandbox", "json:JSONDecoder"), ("--add", "nothing.json")]
)
def test_bad_arguments(words: tuple[str, ...], tmp_path: Path) -> None:
    done = command_line(*words, folder=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
