"""All six strategies by one command on a real package, with a real model where one is needed.

So small a model is told little, and asked about short functions only. The yields are what they are, and are printed
(`pytest -s`).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from lm.small_model import SmallModel
from typer.testing import CliRunner

from swesmith_gym.cli.main import app
from swesmith_gym.pipeline import candidates
from swesmith_gym.records import REJECTION_REASONS
from swesmith_gym.tasks import TaskTable
from swesmith_gym.viewer import published

pytestmark = [pytest.mark.lm, pytest.mark.sandbox, pytest.mark.network]
PROMPTS = Path(__file__).parents[2] / "examples" / "small_model_prompts"
REPO = "toolz"
ASKING = ("lm_rewrite", "lm_modify")
STRATEGIES = ("procedural", "pr_mirror", "combine_file", "combine_module", *ASKING)
CALLS = 14
"""Of each strategy that asks the model."""
LIMIT = 12
CONFIG = f"""
repos = ["{REPO}"]
created_at = "2026-01-01T00:00:00Z"
strategies = {json.dumps(STRATEGIES)}
limit = {LIMIT}
limits = {{ combine_file = 4, combine_module = 4 }}
seed = 1
warm = true
releases = {{ {REPO} = "0.9.0.." }}
"""


@dataclass(frozen=True)
class Made:
    """What one command made, after it was killed once while the model was asked."""

    out: Path
    command: list[str]
    calls: int
    """Requests that the model answered."""

    def part(self, strategy: str, name: str) -> Path:
        """A file of one strategy."""
        return self.out / "work" / REPO / strategy / name

    @property
    def tasks(self) -> TaskTable:
        return TaskTable.read(self.out / f"{REPO}.parquet")


@pytest.fixture(scope="module")
def model(small_model: SmallModel) -> list[str]:
    """Options that name it."""
    own = ["--base-url", small_model.url, "--model", small_model.name, "--price", "0,0"]
    return [*own, "--lm-timeout-s", "600", "--lm-max-tokens", "250", "--lm-concurrency", "1"]


@pytest.fixture(scope="module")
def made(home: Path, small_model: SmallModel, model: list[str], tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("written")
    (folder / "all.toml").write_text(CONFIG)
    asked = ["--prompts", str(PROMPTS), "--most-lines", "10", "--most-calls", str(CALLS)]
    command = ["run", str(folder / "all.toml"), "--out", str(folder), *asked, *model]
    before = small_model.stats()["calls"]
    with subprocess.Popen([sys.executable, "-m", "swesmith_gym", *command]) as first:
        while first.poll() is None and small_model.stats()["calls"] < before + 3:
            time.sleep(0.5)
        assert first.poll() is None, "it ended before it had asked the model anything"
        first.kill()
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return Made(folder, command, small_model.stats()["calls"] - before)


def test_each_strategy_gives_tasks(made: Made, small_model: SmallModel) -> None:
    found = Counter(task.strategy for task in made.tasks)
    print({each: (found[each], len(candidates.read(made.part(each, "candidates.jsonl")))) for each in STRATEGIES})
    assert set(found) == set(STRATEGIES)
    for task in made.tasks:
        assert task.model == (small_model.name if task.strategy in ASKING else "")
        assert task.strategy not in ASKING or task.cost_usd == 0.0


def test_every_answer_is_a_candidate_or_a_reason(made: Made, small_model: SmallModel) -> None:
    for strategy in ASKING:
        proposed = candidates.read(made.part(strategy, "candidates.jsonl"))
        left_out = candidates.read_rejected(made.part(strategy, "left_out.jsonl"))
        assert len(proposed) == LIMIT or len(proposed) + len(left_out) == CALLS
        written = {task.bug_patch for task in made.tasks if task.strategy == strategy}
        assert written <= {each.bug_patch for each in proposed}
        assert {each.candidate.model for each in left_out} <= {small_model.name}
        assert {each.reason for each in left_out} <= REJECTION_REASONS - {"lm_error"}


def test_what_was_answered_before_the_kill_is_not_asked_again(made: Made) -> None:
    answered = sum(
        len(candidates.read(made.part(each, "candidates.jsonl")))
        + len(candidates.read_rejected(made.part(each, "left_out.jsonl")))
        for each in ASKING
    )
    under_way = 1
    assert answered <= made.calls <= answered + under_way


def test_a_further_run_asks_nothing(made: Made, small_model: SmallModel) -> None:
    calls, table = small_model.stats()["calls"], (made.out / f"{REPO}.parquet").read_bytes()
    assert CliRunner().invoke(app, made.command, catch_exceptions=False).exit_code == 0
    assert small_model.stats()["calls"] == calls
    assert (made.out / f"{REPO}.parquet").read_bytes() == table


def test_the_table_of_yields_has_every_strategy_and_the_references_figures(made: Made) -> None:
    done = CliRunner().invoke(app, ["tasks", "stats", str(made.out)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    rows = {line.split("|")[1].strip(): line for line in done.stdout.splitlines() if line.startswith("|")}
    for strategy in STRATEGIES:
        assert f"({published.SWE_SMITH[strategy].yield_percent:g})" in rows[strategy]


def test_the_model_writes_issues_or_leaves_them_to_the_tests(made: Made, model: list[str], tmp_path: Path) -> None:
    few, out = tmp_path / "few.parquet", tmp_path / "issues.parquet"
    TaskTable([task for task in made.tasks if task.strategy == "lm_rewrite"][:3]).write(few)
    done = CliRunner().invoke(app, ["issues", "write", str(few), "--mode", "lm", "--out", str(out), *model])
    assert done.exit_code == 0, done.output
    for task in TaskTable.read(out):
        assert task.statement_mode == "lm" or task.statement_mode.startswith("tests: lm: ")
        assert len(task.problem_statement) > 80
