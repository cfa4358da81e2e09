"""A campaign: correct work is paid, however it is written and whatever lies beside it, and gold always.

    python benchmarks/honest.py --out campaigns/honest.json    # 240 solutions, gold 10 times on every shipped task
    python benchmarks/honest.py                                # a short one, to standard output

Solutions are the gold fix written otherwise (`_rewrites`), brought into the work tree in one of several ways, with what
people and their tools leave beside it (`_habits`): each is an episode of `BugFixEnv`, and must be paid 1. Gold patches
of all shipped tasks are graded, several at once, in an order that the seed draws. The exit code is 1 if anything was
refused.

With `--out`, rows are kept beside the output as they come, and the same command goes on where it was stopped; rows of
another version of the code that grades are left aside. `--solutions` and `--rounds` say how many; 0 leaves a part out.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _honest import Player, Row, grader, of_gold, of_solutions
from _measure import load, machine
from _solutions import solutions

from swesmith_gym import jsonl, sandboxes
from swesmith_gym.executors import LocalExecutor
from swesmith_gym.home import write_atomic
from swesmith_gym.records import TaskInstance
from swesmith_gym.repos.resolve import testbed_of
from swesmith_gym.tasks import TaskTable
from swesmith_gym.tasks.starter import shipped_tasks

SHORT_REPOS = ("tinydb", "toolz", "h11")
BLOCK = 48
"""Tasks whose gradings are mixed: their sealed trees are held in memory at a time."""
EVERY = 100
"""Rows between two writings of the evidence."""


@dataclass(frozen=True)
class Job:
    """One row to make: its key, and how."""

    kind: str
    key: str
    make: Callable[[], Row]


def say(text: str) -> None:
    """Progress, on standard error."""
    print(f"honest: {text}", file=sys.stderr, flush=True)


def main() -> int:
    options = _options()
    tasks = [task for path in sorted(options.tasks.glob("*.parquet")) for task in TaskTable.read(path)]
    tasks = [task for task in tasks if not options.repos or task.repo in options.repos]
    with tempfile.TemporaryDirectory(prefix="honest-") as folder:
        out = options.out or Path(folder) / "honest.json"
        campaign = Campaign(out, options)
        campaign.run([*campaign.solutions(tasks), *campaign.gold(tasks)])
        found = campaign.evidence()
    print(json.dumps(found, indent=1))
    return 0 if found["ok"] else 1


class Campaign:
    """The rows of one output, made once each."""

    def __init__(self, out: Path, options: argparse.Namespace) -> None:
        self.out, self.options, self.grader = out, options, grader()
        self.progress = out.with_suffix(".progress.jsonl")
        kept = [json.loads(line) for _, line in jsonl.lines(self.progress)] if self.progress.exists() else []
        same = [row for row in kept if row["grader"] == self.grader and row["seed"] == options.seed]
        self.rows = {(row["kind"], row["key"]): row for row in same if not row["fault"]}
        if kept:
            say(f"{len(self.rows)} of {len(kept)} rows are kept")
        self.player = Player(options.sandbox)
        self.number = 0

    def solutions(self, tasks: Sequence[TaskInstance]) -> Iterator[Job]:
        """Honest episodes, all rewritings and habits in turn."""
        if not self.options.solutions:
            return
        backend = sandboxes.backend(self.options.sandbox)
        trees = {task.repo: testbed_of(task, backend, say).pristine for task in {t.repo: t for t in tasks}.values()}
        for index, each in enumerate(solutions(tasks, trees, self.options.solutions, self.options.seed)):
            yield Job("solution", str(index), lambda index=index, each=each: self.player.solution(index, each))  # type: ignore[misc]

    def gold(self, tasks: Sequence[TaskInstance]) -> Iterator[Job]:
        """Gradings of gold patches, mixed in blocks of tasks of all repositories."""
        rng = random.Random(f"gold:{self.options.seed}")
        order = rng.sample(list(tasks), len(tasks))
        for begin in range(0, len(order), BLOCK):
            pairs = [(task, number) for task in order[begin : begin + BLOCK] for number in range(self.options.rounds)]
            for task, number in rng.sample(pairs, len(pairs)):
                key = f"{task.instance_id} {number}"
                yield Job("gold", key, lambda task=task, number=number: self.player.gold(task, number))  # type: ignore[misc]

    def run(self, jobs: Sequence[Job]) -> None:
        """Make the rows that are missing."""
        todo = [job for job in jobs if (job.kind, job.key) not in self.rows]
        self.number = len(jobs)
        self.evidence()
        began = time.monotonic()
        for count, done in enumerate(LocalExecutor(self.options.workers).map(lambda job: job.make(), todo), 1):
            row = {**done.value, "grader": self.grader, "seed": self.options.seed}
            jsonl.append(self.progress, row)
            self.rows[row["kind"], row["key"]] = row
            if not row["paid"]:
                say(f"REFUSED {json.dumps(row)}")
            if count % EVERY == 0 or count == len(todo):
                passed = time.monotonic() - began
                say(f"{count} of {len(todo)}, {passed / count:.2f} s each, load {load()[0]}")
                self.evidence()

    def evidence(self) -> dict[str, Any]:
        """What is known so far, written to the output as well."""
        rows = sorted(self.rows.values(), key=lambda row: (row["kind"], row["instance_id"], row["key"]))
        plain = [{k: v for k, v in row.items() if k not in ("grader", "seed")} for row in rows]
        made = of_solutions([row for row in plain if row["kind"] == "solution"])
        gold = of_gold([row for row in plain if row["kind"] == "gold"], self.options.rounds)
        found = {
            "machine": machine(),
            "sandbox": self.options.sandbox,
            "workers": self.options.workers,
            "seed": self.options.seed,
            "grader": self.grader,
            "solutions": made,
            "gold": gold,
            "complete": len(rows) >= self.number,
            "ok": bool(rows) and not made["refused"] and not gold["refused"],
        }
        write_atomic(self.out, json.dumps(found, indent=1) + "\n")
        return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="where the evidence goes; without it the campaign is a short one")
    parser.add_argument("--tasks", type=Path, default=shipped_tasks(), help="folder of task tables")
    parser.add_argument("--repos", nargs="*", help="only these repositories")
    parser.add_argument("--solutions", type=int, help="honest solutions; 240, or 6 in a short campaign")
    parser.add_argument("--rounds", type=int, help="gold gradings of each task; 10, or 0 in a short campaign")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--sandbox", default="auto")
    options = parser.parse_args()
    whole = options.out is not None
    options.solutions = options.solutions if options.solutions is not None else (240 if whole else 6)
    options.rounds = options.rounds if options.rounds is not None else (10 if whole else 0)
    options.repos = options.repos if options.repos or whole else list(SHORT_REPOS)
    return options


if __name__ == "__main__":
    sys.exit(main())
