"""Choosing tasks by their measures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from samples import TASK
from typer.testing import CliRunner

from swesmith_gym.cli.main import app
from swesmith_gym.errors import InputError
from swesmith_gym.records import TaskInstance, TaskQuality
from swesmith_gym.tasks import TaskTable
from swesmith_gym.tasks.filtering import choose, condition


def task(name: str, **measures: object) -> TaskInstance:
    return replace(TASK, instance_id=name, quality=TaskQuality(**measures))  # type: ignore[arg-type]


TASKS = [
    task("all", broken_share=0.95, depth=1, names_function=True),
    task("deep", broken_share=0.1, depth=4, names_function=False),
    task("flat", broken_share=0.2, depth=1, names_function=True),
    task("unknown"),
]


@pytest.mark.parametrize(
    ("texts", "kept", "dropped", "unknown"),
    [
        (["broken_share<=0.5"], ["deep", "flat", "unknown"], [1], 1),
        (["broken_share<=0.5", "depth>=2"], ["deep", "unknown"], [1, 1], 1),
        (["names_function=false"], ["deep", "unknown"], [2], 1),
        (["depth > 3"], ["deep", "unknown"], [2], 1),
        (["edited_lines<9"], ["all", "deep", "flat", "unknown"], [0], 4),
        ([], ["all", "deep", "flat", "unknown"], [], 0),
    ],
)
def test_every_condition_has_to_be_met(texts: list[str], kept: list[str], dropped: list[int], unknown: int) -> None:
    found = choose(TASKS, [condition(text) for text in texts])
    assert [each.instance_id for each in found.kept] == kept
    assert list(found.dropped.values()) == dropped
    assert found.unknown == unknown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("depth", "is no condition"),
        ("depth~2", "is no condition"),
        ("colour=2", "no measure 'colour'; known are broken_share"),
        ("depth=deep", "neither a number nor true or false"),
    ],
)
def test_a_bad_condition_is_named(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        condition(text)


def test_the_command_shows_what_dropped_the_others(tmp_path: Path) -> None:
    TaskTable(TASKS).write(tmp_path / "t.parquet")
    out = tmp_path / "out.parquet"
    arguments = ["tasks", "filter", str(tmp_path / "t.parquet"), "--out", str(out), "--where", "depth>=2"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert [each.instance_id for each in TaskTable.read(out)] == ["deep", "unknown"]
    assert "1 dropped by broken_share<=0.5" in done.output
    assert "1 dropped by depth>=2" in done.output
    none = CliRunner().invoke(app, [*arguments[:3], "--out", str(tmp_path / "no.parquet"), "--where", "depth>9"])
    assert none.exit_code == 0  # the one without measures is kept
    TaskTable(TASKS[:3]).write(tmp_path / "t.parquet")
    none = CliRunner().invoke(app, [*arguments[:3], "--out", str(tmp_path / "none.parquet"), "--where", "depth>9"])
    assert none.exit_code != 0
    assert not (tmp_path / "none.parquet").exists()


def test_the_command_keeps_single_strategies(tmp_path: Path) -> None:
    written = replace(TASKS[1], instance_id="written", strategy="lm_modify")
    TaskTable([*TASKS, written]).write(tmp_path / "t.parquet")
    arguments = ["tasks", "filter", str(tmp_path / "t.parquet"), "--out", str(tmp_path / "out.parquet")]
    done = CliRunner().invoke(app, [*arguments, "--strategy", "lm_modify", "--strategy", "lm_rewrite"])
    assert done.exit_code == 0, done.output
    assert [each.instance_id for each in TaskTable.read(tmp_path / "out.parquet")] == ["written"]
    assert f"{len(TASKS)} dropped by other strategies" in done.output
    (tmp_path / "out.parquet").unlink()
    none = CliRunner().invoke(app, [*arguments, "--strategy", "lm_rewrite"])
    assert isinstance(none.exception, InputError)
    assert f"no task of lm_rewrite, only of lm_modify, {TASK.strategy}" in str(none.exception)
    assert not (tmp_path / "out.parquet").exists()
