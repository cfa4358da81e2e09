"""The job behind `issues write`: every task of a table gets a new problem statement. Resumable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from swesmith_gym.errors import InputError, LMError
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.issues import Author, Materials, Statement, check_mode, from_lm, trial, write
from swesmith_gym.lm.base import LM
from swesmith_gym.lm.prompts import Prompt
from swesmith_gym.pipeline.ledger import Ledger
from swesmith_gym.pipeline.workplace import Workplace
from swesmith_gym.records import TaskInstance, content_id, summed
from swesmith_gym.repos.resolve import testbed_of
from swesmith_gym.tasks import TaskTable
from swesmith_gym.tasks import tree as trees


@dataclass(frozen=True, slots=True)
class Writing:
    """How problem statements are to be written. Thread-safe if its model is."""

    mode: str = "tests"
    seed: int = 0
    """Another one gives other wordings."""
    lm: LM | None = None
    """For mode `lm`."""
    prompt: Prompt = field(default_factory=from_lm.prompt, repr=False)
    """For mode `lm`."""

    def check(self) -> None:
        """Raises: InputError, before anything is run (no such mode, or no model for it)."""
        check_mode(self.mode)
        if self.mode == "lm" and self.lm is None:
            raise InputError(
                "issue mode 'lm' needs a language model: name one to `swesmith-gym issues write --mode lm` "
                "(`--base-url`, `--model`)"
            )

    @property
    def settings(self) -> dict[str, Any]:
        """What a resumed run must agree on."""
        if self.mode != "lm" or self.lm is None:
            return {"issue_mode": self.mode, **({"issue_seed": self.seed} if self.seed else {})}
        asked = content_id(self.lm.model, self.prompt.system, self.prompt.user)
        return {"issue_mode": self.mode, "issue_seed": self.seed, "issue_lm": asked}

    def materials(self, testbed: Testbed) -> Materials:
        """What the statements of a testbed's tasks are written from."""
        author = None if self.lm is None else Author(self.lm, self.prompt, partial(trial.run, testbed))
        return Materials(trees.contents(testbed.pristine), testbed.language, self.seed, author)


@dataclass(frozen=True, slots=True)
class StatementJob:
    """Which tasks get new statements, and where the table goes."""

    table: TaskTable
    out: Path
    """May be where the table was read from."""
    writing: Writing

    @property
    def ledger(self) -> Path:
        """Where finished statements are kept until all are."""
        return self.out.with_name(f".{self.out.name}.issues")

    @property
    def configuration(self) -> dict[str, Any]:
        """What a resumed run must agree on."""
        tasks = [(t.instance_id, t.bug_patch, t.failure_excerpt, t.original_text) for t in self.table]
        return {"tasks": content_id(tasks), **self.writing.settings}


def run(job: StatementJob, place: Workplace) -> tuple[TaskTable, list[Statement]]:
    """Write what the ledger does not hold yet, then the table. Both lists are in the order of the job's table.

    Builds environments that are not there yet. Where the model cannot be asked any more (its budget is spent, the
    endpoint refuses us) what is being written is waited for and kept, and the same job goes on from there.
    Raises: InputError, ProfileError, TaskTableError, SandboxError, LMError, BudgetExhausted, OSError.
    """
    job.writing.check()
    with Ledger(job.ledger, job.configuration) as ledger:
        found = {task_id: Statement(**row) for task_id, row in ledger.done.items()}
        place.progress(len(found), len(job.table), "")
        stopped: LMError | None = None
        for task, result in _written(job, found.keys(), place):
            if isinstance(result, LMError):
                stopped = stopped or result
                continue
            found[task.instance_id] = result
            ledger.add(task.instance_id, {"text": result.text, "mode": result.mode, "cost_usd": result.cost_usd})
            place.progress(len(found), len(job.table), _note(found.values()))
        if stopped:
            place.say(
                f"{len(found)} of {len(job.table)} problem statements are kept: the same command goes on from there"
            )
            raise stopped
        statements = [found[task.instance_id] for task in job.table]
        table = TaskTable(map(stated, job.table, statements), job.table.name)
        table.write(job.out)
        ledger.finish()
    return table, statements


def stated(task: TaskInstance, statement: Statement) -> TaskInstance:
    """The task with a statement."""
    return replace(task, problem_statement=statement.text, statement_mode=statement.mode)


def _written(
    job: StatementJob, done: Collection[str], place: Workplace
) -> Iterator[tuple[TaskInstance, Statement | LMError]]:
    """Statements as they are finished, repository by repository; none is begun after an error of the model."""
    todo = sorted((task for task in job.table if task.instance_id not in done), key=lambda task: task.repo)
    over = Event()

    def one(task: TaskInstance) -> Statement | LMError | None:
        if over.is_set():
            return None
        testbed = testbed_of(task, place.backend, place.say)
        try:
            return write(task, job.writing.mode, job.writing.materials(testbed))
        except LMError as error:
            over.set()
            return error

    for finished in place.executor.map(one, todo):
        if finished.value is not None:
            yield todo[finished.index], finished.value


def _note(statements: Iterable[Statement]) -> str:
    return ", ".join(f"{count} {mode}" for mode, count in _modes(statements).most_common())


def _modes(statements: Iterable[Statement]) -> Counter[str]:
    return Counter(each.mode.partition(":")[0] for each in statements)


def summary(job: StatementJob, statements: Sequence[Statement]) -> dict[str, Any]:
    """Counts for people and for `--json`."""
    reasons = Counter(each.mode.partition(": ")[2] for each in statements if ":" in each.mode)
    return {
        "tasks": len(statements),
        "mode": job.writing.mode,
        "written": dict(_modes(statements).most_common()),
        "instead_because": dict(reasons.most_common()),
        "cost_usd": summed(each.cost_usd for each in statements),
        "out": str(job.out),
    }
