"""`repos review` and `repos show` as a user meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from samples import ABACUS

pytestmark = [pytest.mark.sandbox, pytest.mark.network]


def call(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "swesmith_gym", "repos", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, input="n\n")


def test_review_prints_its_screen_and_asks(abacus: object) -> None:
    done = call("review", "abacus")
    assert (done.returncode, "object at 0x" in done.stdout) == (1, False)
    for part in ("detected", "baseline", "surface", "log in"):
        assert part in done.stdout
    assert "Approve" in done.stderr


def test_review_speaks_json(abacus: object) -> None:
    done = call("review", "abacus", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["approved"], facts["built"]) == (False, True)
    assert facts["baseline"] == {"tests": 10, "passed": 9, "skipped": 1}


def test_show_tells_of_the_environment(abacus: object) -> None:
    done = call("show", "abacus")
    assert done.stdout.startswith('name = "abacus"')
    assert "# built: abacus-" in done.stdout
    assert " pass, 0 quarantined, " in done.stdout


def test_an_agent_without_a_model_is_refused_before_anything_is_built(home: object) -> None:
    done = call("add", str(ABACUS), "--name", "unmodelled", "--agent", "--json")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "model" in done.stderr
    assert call("show", "unmodelled").returncode == 2


def test_a_bad_prompt_is_told_before_anything_is_built(home: object, tmp_path: Path) -> None:
    (tmp_path / "install.python.toml").write_text('system = "$nobody"')
    done = call("add", str(ABACUS), "--name", "unprompted", "--agent", "--prompts", str(tmp_path), "--model", "m")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "install.python.toml: `system`, line 1: unknown placeholder $nobody" in done.stderr


def test_what_is_not_built_is_said(home: object) -> None:
    assert "# not built on this host: swesmith-gym repos build h11" in call("show", "h11").stdout
    done = call("review", "h11", "--yes", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "not built on this host" in done.stderr
