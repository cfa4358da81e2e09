"""A real package, a real model, the real client: what the small model writes becomes tasks, or is told why it does not.

The yields are what they are, and are printed (`pytest -s`): so small a model often gives none in so few answers.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lm.small_model import SmallModel
from typer.testing import CliRunner

from swesmith_gym.cli.main import app
from swesmith_gym.pipeline import candidates
from swesmith_gym.records import REJECTION_REASONS
from swesmith_gym.tasks import TaskTable

pytestmark = [pytest.mark.lm, pytest.mark.sandbox, pytest.mark.network]
REPO = "dotmap"
CALLS = 6
"""Of each strategy: an answer takes the model about twenty seconds."""
ASKED = ("--most-calls", CALLS, "--limit", CALLS, "--prompt-chars", 4000)


def call(*args: object) -> dict[str, object]:
    """A command's JSON."""
    done = CliRunner().invoke(app, [*map(str, args), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    print(args[0:2], found)
    return found  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def model(small_model: SmallModel) -> list[str]:
    """Options that name it."""
    own = ["--base-url", small_model.url, "--model", small_model.name, "--price", "0,0"]
    return [*own, "--lm-timeout-s", "600", "--lm-max-tokens", "200", "--lm-concurrency", "1"]


@pytest.fixture(scope="module")
def tables(home: Path, model: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Strategy -> the tasks that came of it."""
    folder = tmp_path_factory.mktemp("written")
    CliRunner().invoke(app, ["repos", "build", REPO], catch_exceptions=False)
    found = {}
    for strategy in ("lm_modify", "lm_rewrite"):
        proposed, found[strategy] = folder / f"{strategy}.jsonl", folder / f"{strategy}.parquet"
        asked = ["--strategy", strategy, *ASKED, *model]
        left_out = folder / f"{strategy}.left.jsonl"
        call("bugs", "generate", "--repo", REPO, *asked, "--out", proposed, "--rejected", left_out)
        call("bugs", "validate", proposed, "--out", found[strategy], "--rejected", folder / "rejected.jsonl")
    return found


def test_every_answer_is_a_candidate_or_a_reason(tables: dict[str, Path], small_model: SmallModel) -> None:
    for strategy, path in tables.items():
        proposed = candidates.read(path.with_suffix(".jsonl"))
        left_out = candidates.read_rejected(path.with_suffix(".left.jsonl"))
        assert len(proposed) + len(left_out) == CALLS
        assert {each.candidate.model for each in left_out} <= {small_model.name}
        assert {each.reason for each in left_out} <= REJECTION_REASONS - {"lm_error"}
        for task in TaskTable.read(path):
            assert (task.strategy, task.model, task.cost_usd) == (strategy, small_model.name, 0.0)
            assert task.bug_patch in {each.bug_patch for each in proposed}


def test_a_second_run_asks_nothing(
    tables: dict[str, Path], small_model: SmallModel, model: list[str], tmp_path: Path
) -> None:
    calls = small_model.stats()["calls"]
    again = tmp_path / "again.jsonl"
    asked = ["--strategy", "lm_rewrite", *ASKED, *model]
    call("bugs", "generate", "--repo", REPO, *asked, "--out", again)
    assert again.read_text() == tables["lm_rewrite"].with_suffix(".jsonl").read_text()
    assert small_model.stats()["calls"] == calls


def test_the_model_writes_issues_or_leaves_them_to_the_tests(
    tables: dict[str, Path], model: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "issues.parquet"
    call("issues", "write", tables["lm_rewrite"], "--mode", "lm", "--out", out, *model)
    for task in TaskTable.read(out):
        assert task.statement_mode == "lm" or task.statement_mode.startswith("tests: lm: ")
        assert len(task.problem_statement) > 80
