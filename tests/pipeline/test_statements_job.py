"""The job behind `issues write`: what it counts, how it goes on, and a model's reports tried on a real package."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Lock

import pytest

from swesmith_gym.errors import BudgetExhausted, InputError, LMError
from swesmith_gym.executors import LocalExecutor, SerialExecutor
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.issues import from_lm
from swesmith_gym.lm.base import Completion, Request
from swesmith_gym.pipeline import statements
from swesmith_gym.pipeline.statements import StatementJob, Writing
from swesmith_gym.pipeline.workplace import Workplace
from swesmith_gym.tasks import TaskTable

REPORT = """# A sum comes out wrong

I add up a short list of whole numbers with the library, and what comes back is not their sum. It is the same each time.

```python
{code}
```

I expect the sum of the numbers and get another number.
"""
SHOWS = {
    "result - value": "from abacus import total\n\nassert total([1, 2, 3]) == 6",
    "return high": "from abacus import clamp\n\nassert clamp(0, 1, 5) == 1",
    "WORDS[number - 1]": "from abacus.words import word\n\nassert word(1) == 'one'",
}


class Model:
    """Answers by a function of the request, and counts."""

    def __init__(self, answer: Callable[[str, int], str | LMError], model: str = "scripted") -> None:
        self.answer, self.model, self.lock = answer, model, Lock()
        self.asked = 0

    def complete(self, request: Request) -> Completion:
        with self.lock:
            self.asked += 1
        found = self.answer(request.messages[1]["content"], len(request.messages) // 2)
        if isinstance(found, LMError):
            raise found
        return Completion(found, self.model, "stop", 10, 10, 0.125)


def good(asked: str, turn: int) -> str:
    return REPORT.format(code=next(code for sign, code in SHOWS.items() if sign in asked))


def place(abacus: Testbed, workers: int = 1) -> Workplace:
    return Workplace(abacus.backend, LocalExecutor(workers) if workers > 1 else SerialExecutor())


pytestmark = [pytest.mark.sandbox, pytest.mark.network]


def write(
    abacus: Testbed, tasks: TaskTable, out: Path, writing: Writing, workers: int = 1
) -> tuple[TaskTable, dict[str, object]]:
    job = StatementJob(tasks, out, writing)
    table, written = statements.run(job, place(abacus, workers))
    assert TaskTable.read(out) == table
    assert not job.ledger.exists()
    return table, statements.summary(job, written)


def test_reports_that_show_the_bug_are_taken(abacus: Testbed, abacus_tasks: TaskTable, tmp_path: Path) -> None:
    model = Model(good)
    table, found = write(abacus, abacus_tasks, tmp_path / "t.parquet", Writing("lm", lm=model), workers=2)
    assert [task.statement_mode for task in table] == ["lm"] * 3
    assert [task.instance_id for task in table] == [task.instance_id for task in abacus_tasks]
    assert "assert clamp(0, 1, 5) == 1" in table[1].problem_statement
    assert (found["written"], found["instead_because"], found["cost_usd"], model.asked) == ({"lm": 3}, {}, 0.375, 3)


LOOP = "from abacus import total\n\nwhile total([1, 2]) != 7:\n    pass"
BAD = {
    "fails_without_bug": (
        "from abacus import total\n\nassert total([1, 2, 3]) == 7",
        "import abacus.nowhere",
        "def broken(:",
        ">>> from abacus import total\n>>> total([1])\n1",
        "from abacus import total\nopen('/opt/env/mine', 'w').write('x')\nassert total([1]) == 1",
        "from abacus import total\nopen('../outside', 'w').write('x')\nassert total([1]) == 1",
        "import urllib.request\nurllib.request.urlopen('http://192.0.2.1', timeout=1)",
        "import sys\nsys.path.insert(0, 'tests')\nimport test_numbers\ntest_numbers.test_total([1, 2, 3])",
    ),
    "passes_with_bug": (
        "from abacus import total\n\nprint(total([1, 2, 3]))",
        "from abacus import average, total\n\ntry:\n    assert total([1, 2]) == 3\nexcept AssertionError:\n    pass",
        "import os\nos._exit(0)",
    ),
    "hangs_without_bug": (LOOP,),
}


@pytest.mark.parametrize(
    ("reason", "code"), [(reason, code) for reason, codes in BAD.items() for code in codes], ids=lambda text: text[-24:]
)
def test_a_wrong_reproduction_is_told_and_a_right_one_is_taken(
    abacus: Testbed,
    abacus_tasks: TaskTable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reason: str,
    code: str,
) -> None:
    if code == LOOP:
        monkeypatch.setattr("swesmith_gym.issues.trial.PRISTINE_S", 3.0)
    before = {path: data for path, (_, data) in abacus.pristine.items()}
    one = TaskTable([abacus_tasks[0]])
    model = Model(lambda asked, turn: REPORT.format(code=code) if turn == 1 else good(asked, turn))
    table, _ = write(abacus, one, tmp_path / "t.parquet", Writing("lm", lm=model))
    assert (table[0].statement_mode, model.asked) == ("lm", 2)
    model = Model(lambda asked, turn: REPORT.format(code=code))
    table, found = write(abacus, one, tmp_path / "t.parquet", Writing("lm", lm=model))
    assert (table[0].statement_mode, model.asked) == (f"tests: lm: {reason}", 2)
    assert table[0].problem_statement == abacus_tasks[0].problem_statement
    assert found["instead_because"] == {f"lm: {reason}": 1}
    folder = abacus.spec.tree
    assert {path: (folder / path).read_bytes() for path in before} == before
    assert not (folder.parent / "outside").exists()
    assert not (folder.parent / "env" / "mine").exists()


def test_one_that_ends_without_the_bug_alone_is_taken(
    abacus: Testbed, abacus_tasks: TaskTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swesmith_gym.issues.trial.BUGGY_S", 3.0)
    code = LOOP.replace("7", "3")
    model = Model(lambda asked, turn: REPORT.format(code=code))
    table, _ = write(abacus, TaskTable([abacus_tasks[0]]), tmp_path / "t.parquet", Writing("lm", lm=model))
    assert table[0].statement_mode == "lm"


@pytest.mark.parametrize("error", [BudgetExhausted("all is spent"), LMError("wrong key", status=401)])
def test_what_is_written_is_kept_where_the_model_cannot_be_asked_any_more(
    abacus: Testbed, abacus_tasks: TaskTable, tmp_path: Path, error: LMError
) -> None:
    limit, said = 2, []

    def answer(asked: str, turn: int) -> str | LMError:
        return good(asked, turn) if model.asked <= limit else error

    model = Model(answer)
    job = StatementJob(abacus_tasks, tmp_path / "t.parquet", Writing("lm", lm=model))
    here = Workplace(abacus.backend, SerialExecutor(), say=said.append)
    with pytest.raises(type(error), match=error.message):
        statements.run(job, here)
    assert said == ["2 of 3 problem statements are kept: the same command goes on from there"]
    assert (model.asked, job.out.exists(), len(job.ledger.read_text().splitlines())) == (3, False, 3)
    with pytest.raises(InputError, match="other settings"):
        statements.run(replace(job, writing=Writing("lm", lm=Model(good, "another"))), here)
    other_prompt = replace(job.writing, prompt=replace(from_lm.prompt(), user="$diff"))
    with pytest.raises(InputError, match="other settings"):
        statements.run(replace(job, writing=other_prompt), here)
    limit = 4
    table, written = statements.run(job, here)
    assert ([task.statement_mode for task in table], model.asked) == (["lm"] * 3, 4)
    assert statements.summary(job, written)["cost_usd"] == 0.375
    assert not job.ledger.exists()


def test_nothing_is_asked_after_the_model_has_refused(abacus: Testbed, abacus_tasks: TaskTable, tmp_path: Path) -> None:
    many = TaskTable([replace(abacus_tasks[0], instance_id=f"abacus__{number}") for number in range(20)])
    model = Model(lambda asked, turn: LMError("wrong key", status=401))
    job = StatementJob(many, tmp_path / "t.parquet", Writing("lm", lm=model))
    with pytest.raises(LMError, match="wrong key"):
        statements.run(job, place(abacus, 2))
    assert model.asked <= 2


def test_original_texts_and_what_stands_in_for_them(abacus: Testbed, abacus_tasks: TaskTable, tmp_path: Path) -> None:
    texts = ("Sums of several numbers come out wrong (#12)", "wip", "")
    tasks = TaskTable([replace(task, original_text=text) for task, text in zip(abacus_tasks, texts, strict=True)])
    table, found = write(abacus, tasks, tmp_path / "t.parquet", Writing("pr"))
    assert [task.statement_mode for task in table] == ["pr", "tests: pr: says_nothing", "tests: pr: no_text"]
    assert table[0].problem_statement == "Sums of several numbers come out wrong\n"
    assert found == {
        "tasks": 3,
        "mode": "pr",
        "written": {"tests": 2, "pr": 1},
        "instead_because": {"pr: says_nothing": 1, "pr: no_text": 1},
        "cost_usd": 0.0,
        "out": str(tmp_path / "t.parquet"),
    }


def test_a_killed_run_goes_on(abacus: Testbed, abacus_tasks: TaskTable, tmp_path: Path) -> None:
    def stop(done: int, total: int, note: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    job = StatementJob(abacus_tasks, tmp_path / "t.parquet", Writing("static", seed=3))
    with pytest.raises(KeyboardInterrupt):
        statements.run(job, Workplace(abacus.backend, SerialExecutor(), progress=stop))
    rows = [json.loads(line) for line in job.ledger.read_text().splitlines()]
    assert [row["row"]["mode"] for row in rows[1:]] == ["static", "static"]
    with pytest.raises(InputError, match="other settings"):
        statements.run(replace(job, writing=Writing("static", seed=4)), place(abacus))
    table, _ = statements.run(job, place(abacus))
    again, _ = statements.run(job, place(abacus, 2))
    assert table == again
    assert {task.statement_mode for task in table} == {"static"}


def test_a_mode_without_its_model_is_refused_before_anything_is_written(
    abacus: Testbed, abacus_tasks: TaskTable, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="needs a language model"):
        statements.run(StatementJob(abacus_tasks, tmp_path / "t.parquet", Writing("lm")), place(abacus))
    assert not list(tmp_path.iterdir())
