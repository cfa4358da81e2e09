"""Verification of a task table: the gold patch scores 1 and doing nothing 0, on every task, every time.

Doing nothing fails the FAIL_TO_PASS tests and no other: graded in full, that shows that both lists are right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Any

from swesmith_gym.envs.grading import grade
from swesmith_gym.errors import GradingFault, SandboxDied
from swesmith_gym.executors import Executor
from swesmith_gym.harness.attempts import Bench
from swesmith_gym.harness.grade import Grading
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.warm import WarmBench
from swesmith_gym.records import TaskInstance, Verdict, content_id
from swesmith_gym.repos import impacts
from swesmith_gym.tasks import TaskTable

_LATER = ("reruns", "model", "original_text", "statement_mode")
"""Columns that came later, beside the measures."""


@dataclass(frozen=True, slots=True)
class Check:
    """One grading of one task with one of the two controls."""

    instance_id: str
    control: str
    """`gold` or `nop`."""
    round: int
    resolved: bool
    problem: str = ""
    """Why it is not what it should be; empty where it is."""
    other_tests: bool = False
    """Doing nothing resolved nothing, as it should, but other tests fail with the bug than when it was validated."""


@dataclass(frozen=True, slots=True)
class WarmBenches:
    """One for each environment, made when it is asked for. Thread-safe; `close` ends their workers."""

    _known: dict[str, WarmBench] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, testbed: Testbed) -> Bench:
        with self._lock:
            if testbed.image.key not in self._known:
                impact = impacts.load(testbed)
                self._known[testbed.image.key] = WarmBench.of(testbed, impact.loaded if impact else ())
            return self._known[testbed.image.key]

    def close(self) -> None:
        """End all workers that wait."""
        with self._lock:
            for bench in self._known.values():
                bench.close()


def verify(
    tasks: Sequence[TaskInstance],
    executor: Executor,
    *,
    rounds: int,
    sandbox: str,
    grading: Grading = "full",
    warm: bool = False,
) -> Iterator[Check]:
    """Two checks for each task and round, as they end; a fault is a check that failed.

    `warm`: in forks of runners that stay, several times faster, since no control cheats, and as any submission is only
    where something is not as it should be there: tests may look at how they were loaded. Else all as submissions are.
    Raises: SandboxUnavailable, ProfileError, TaskTableError.
    """
    todo = [(task, control, k) for k in range(rounds) for task in tasks for control in ("gold", "nop")]

    def checked(bench: Callable[[Testbed], Bench], item: tuple[TaskInstance, str, int]) -> Check:
        task, control, number = item
        try:
            patch = task.gold_patch if control == "gold" else ""
            verdict = grade(task, patch, sandbox=sandbox, grading=grading, bench=bench)
        except (GradingFault, SandboxDied) as fault:
            return Check(task.instance_id, control, number, False, f"fault: {fault}")
        problem = verdict.violation or ("" if verdict.patch_applied else "the patch does not apply")
        problem = problem or _resolved_wrongly(verdict, control)
        other_tests = "" if problem else _other_tests(verdict, control)
        return Check(task.instance_id, control, number, verdict.resolved, problem or other_tests, bool(other_tests))

    with closing(WarmBenches()) as benches:

        def one(item: tuple[TaskInstance, str, int]) -> Check:
            found = checked(benches, item) if warm else None
            return checked(Bench, item) if found is None or found.problem else found

        for done in executor.map(one, todo):
            yield done.value


def _resolved_wrongly(verdict: Verdict, control: str) -> str:
    """Gold passes every test, nop does not. Empty: so it is."""
    if verdict.resolved is not (control == "gold"):
        return f"resolved is {verdict.resolved}: {_some('do not pass', verdict.f2p_failure + verdict.p2p_failure)}"
    return ""


def _other_tests(verdict: Verdict, control: str) -> str:
    """Nop fails the FAIL_TO_PASS tests and no other. Empty: so it is."""
    if control == "nop" and verdict.p2p_failure:
        return f"of PASS_TO_PASS, {_some('fail with the bug', verdict.p2p_failure)}"
    if control == "nop" and verdict.f2p_success:
        return f"of FAIL_TO_PASS, {_some('pass with the bug', verdict.f2p_success)}"
    return ""


def _some(do: str, tests: tuple[str, ...]) -> str:
    return f"{len(tests)} tests {do}, the first is {tests[0]}" if tests else "all tests pass"


def identity(table: Sequence[TaskInstance]) -> str:
    """Content id over every row whole: evidence is of one table, and of no edited copy.

    What is not known of a task is no part of it: tables from before there were such columns keep their identity.
    """
    return content_id([_known(asdict(task)) for task in table])


def _known(row: dict[str, Any]) -> dict[str, Any]:
    later = {**row.pop("quality"), **{name: row.pop(name) or None for name in _LATER}}
    return {**row, **{name: value for name, value in later.items() if value is not None}}


def evidence(
    table: TaskTable, checks: Sequence[Check], rounds: int, grading: Grading = "full", *, warm: bool = False
) -> dict[str, Any]:
    """What is kept beside a table: how many were checked, what they scored, and every deviation."""
    gold = [c for c in checks if c.control == "gold"]
    nop = [c for c in checks if c.control == "nop"]
    return {
        "table": identity(table),
        "tasks": len(table),
        "tasks_checked": len({c.instance_id for c in checks}),
        "rounds": rounds,
        "grading": grading,
        "warm": warm,
        "gold_resolved": sum(c.resolved for c in gold),
        "gold_gradings": len(gold),
        "nop_resolved": sum(c.resolved for c in nop),
        "nop_gradings": len(nop),
        "problems": [
            {"instance_id": c.instance_id, "control": c.control, "problem": c.problem}
            for c in sorted(checks, key=lambda c: (c.instance_id, c.control, c.round))
            if c.problem
        ],
    }


def joined(table: TaskTable, parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Evidence of a table that consists of these parts, each with its own, all got in one way."""
    counts = ("tasks_checked", "gold_resolved", "gold_gradings", "nop_resolved", "nop_gradings")
    return {
        **parts[0],
        "table": identity(table),
        "tasks": len(table),
        **{name: sum(each[name] for each in parts) for name in counts},
        "problems": [problem for each in parts for problem in each["problems"]],
    }
