"""Correct work is paid, however it is written, brought in and accompanied: a seeded sample of the campaign's."""

from __future__ import annotations

import ast
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from swesmith_gym.executors import LocalExecutor
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.tasks import TaskTable

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from _habits import HABITS  # noqa: E402
from _honest import Player, of_gold, of_solutions  # noqa: E402
from _rewrites import REWRITES  # noqa: E402
from _solutions import solution, solutions  # noqa: E402
from _source import Source  # noqa: E402

pytestmark = [pytest.mark.sandbox, pytest.mark.network]
SAMPLE, SEED, ROUNDS = 8, 11, 3


@pytest.mark.slow
def test_honest_solutions_are_paid(abacus: Testbed, abacus_tasks: TaskTable) -> None:
    player = Player("auto")
    chosen = list(solutions(list(abacus_tasks), {"abacus": abacus.pristine}, SAMPLE, SEED))
    rows = [done.value for done in LocalExecutor(2).map(lambda n: player.solution(n, chosen[n]), range(SAMPLE))]
    found = of_solutions(rows)
    assert found["refused"] == []
    assert found["paid"] == SAMPLE
    assert found["different_patches_paid"] >= SAMPLE - 1


def test_the_whole_habits_of_one_seed_are_different(abacus: Testbed, abacus_tasks: TaskTable) -> None:
    number = len(HABITS)
    chosen = list(solutions(list(abacus_tasks), {"abacus": abacus.pristine}, number, SEED))
    assert len({each.habit for each in chosen}) == number
    again = list(solutions(list(abacus_tasks), {"abacus": abacus.pristine}, number, SEED))
    assert chosen == again
    assert any(each.rewrites for each in chosen)


@pytest.mark.slow
def test_gold_gets_the_same_verdict_every_time(abacus: Testbed, abacus_tasks: TaskTable) -> None:
    player = Player("auto")
    pairs = [(task, number) for task in abacus_tasks for number in range(ROUNDS)]
    random.Random(SEED).shuffle(pairs)
    rows = [done.value for done in LocalExecutor(3).map(lambda pair: player.gold(*pair), pairs)]
    found = of_gold(rows, ROUNDS)
    assert found["refused"] == []
    assert found["resolved"] == found["gradings"] == len(pairs)
    assert found["tasks_with_equal_verdicts_in_every_round"] == len(abacus_tasks)


MODULE = b'''"""A module."""

from __future__ import annotations

import json
import os


def first(value, low=0):
    found = [v for v in value if v is not None]
    if found:
        return low
    else:
        return json.dumps(value)


def second(value):
    total = 0
    for each in value:
        total += each
    return total if total not in (1, 2) else os.sep


class Thing:
    def name(self, other):
        return self.base + other
'''


@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda rewrite: rewrite.__name__)
def test_a_rewritten_module_does_the_same(rewrite: object, tmp_path: Path) -> None:
    found = rewrite(Source(MODULE, "pkg/module.py"), range(1, 40), random.Random(0))  # type: ignore[operator]
    assert found is not None
    changed = Source(MODULE, "pkg/module.py").applied(found.edits)
    assert changed != MODULE
    ast.parse(changed)
    assert _results(tmp_path, changed, found.files) == _results(tmp_path, MODULE, {})


def _results(folder: Path, text: bytes, files: dict[str, bytes]) -> Sequence[object]:
    """What the module's functions give, each text in a package of its own."""
    import importlib

    name = f"pkg_{abs(hash(text))}"
    (folder / name).mkdir()
    (folder / name / "__init__.py").touch()
    (folder / name / "module.py").write_bytes(text)
    for path, data in files.items():
        (folder / name / Path(path).name).write_bytes(data)
    sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module(f"{name}.module")
    finally:
        sys.path.remove(str(folder))
    thing = module.Thing()
    thing.base = "a"
    numbers = [module.second(each) for each in ([], [1], [2], [3, 4])]
    return [module.first([1]), module.first([]), module.first([None], 3), *numbers, thing.name("b")]


def test_a_rewriting_that_does_not_fit_says_so(abacus: Testbed, abacus_tasks: TaskTable) -> None:
    empty = Source(b"x = 1\n", "pkg/x.py")
    silent = [each.__name__ for each in REWRITES if each(empty, [1], random.Random(0)) is None]
    assert "local_renamed" in silent
    assert "unused_code_added" not in silent
    task = abacus_tasks[0]
    plain = solution(task, abacus.pristine, None, HABITS[0], random.Random(0))
    assert plain is not None
    assert plain.rewrites == ()
