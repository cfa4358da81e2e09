"""The job behind `bugs validate`: a candidates file in, a task table and a rejected file out, resumable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from swesmith_gym.errors import InputError
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.validate import ValidationSettings, validate_all
from swesmith_gym.issues import write as write_issue
from swesmith_gym.pipeline import candidates as candidate_files
from swesmith_gym.pipeline.ledger import Ledger
from swesmith_gym.pipeline.provenance import by_reason
from swesmith_gym.pipeline.statements import Writing, stated
from swesmith_gym.pipeline.workplace import Workplace
from swesmith_gym.records import BugCandidate, RejectedCandidate, TaskInstance, content_id
from swesmith_gym.repos import impacts
from swesmith_gym.tasks import TaskTable, schema


@dataclass(frozen=True, slots=True)
class ValidationJob:
    """What to validate, and where the results go."""

    candidates: Sequence[BugCandidate]
    testbeds: dict[str, Testbed]
    """Repository -> testbed, for every repository that the candidates name."""
    out: Path
    rejected: Path
    settings: ValidationSettings
    issues: Writing = field(default_factory=Writing)
    """How problem statements are written: one at a time, as tasks are found."""
    stamp_is_given: bool = False
    """The time stamp was asked for: a ledger with another one is refused rather than followed."""

    @property
    def ledger(self) -> Path:
        """Where the finished items are kept until all are."""
        return self.out.with_name(f".{self.out.name}.ledger")

    @property
    def configuration(self) -> dict[str, Any]:
        """What a resumed run must agree on."""
        return {
            "candidates": content_id([(c.repo, c.bug_patch, c.candidate_id) for c in self.candidates]),
            "images": {repo: testbed.image.key for repo, testbed in sorted(self.testbeds.items())},
            "timeout_s": self.settings.timeout_s,
            "keep_collection_errors": self.settings.keep_collection_errors,
            "most_broken": self.settings.most_broken,
            "reruns": self.settings.reruns,
            **self.issues.settings,
        }


def run(job: ValidationJob, place: Workplace) -> tuple[TaskTable, list[RejectedCandidate]]:
    """Validate what the ledger does not hold yet, then write both files.

    Every task bears the time stamp of the first run: a resumed one takes it from the ledger.
    Raises: InputError, SandboxError, OSError; LMError, BudgetExhausted (of a model that writes issues).
    """
    job.issues.check()
    with Ledger(job.ledger, job.configuration, {"created_at": job.settings.created_at}) as ledger:
        _check_stamp(job, ledger)
        job = replace(job, settings=replace(job.settings, created_at=ledger.notes["created_at"]))
        results = _duplicates(job.candidates)
        results |= {int(key): _from_row(row, job.candidates[int(key)]) for key, row in ledger.done.items()}
        found = sum(isinstance(r, TaskInstance) for r in results.values())
        place.progress(len(results), len(job.candidates), f"{found} tasks")
        for repo, numbers in _by_repo(job, results).items():
            testbed = job.testbeds[repo]
            todo = [job.candidates[n] for n in numbers]
            for index, result in _validated(todo, testbed, job.settings, place):
                done = _with_issue(result, testbed, job.issues) if isinstance(result, TaskInstance) else result
                results[numbers[index]] = done
                ledger.add(str(numbers[index]), _to_row(done))
                found += isinstance(done, TaskInstance)
                place.progress(len(results), len(job.candidates), f"{found} tasks")
        table, rejected = _split(results, job.candidates)
        table.write(job.out)
        candidate_files.write_rejected(job.rejected, rejected)
        ledger.finish()
    return table, rejected


def _validated(
    candidates: Sequence[BugCandidate], testbed: Testbed, settings: ValidationSettings, place: Workplace
) -> Iterator[tuple[int, TaskInstance | RejectedCandidate]]:
    """Results of one repository's candidates, by the fastest runs that are exact for it."""
    impact = impacts.for_many(testbed, len(candidates), place.executor, place.progress)
    runs = impacts.runs(
        testbed,
        impact,
        timeout_s=settings.timeout_s,
        whole=not settings.keep_collection_errors,
        most_broken=settings.most_broken,
    )
    with closing(runs):
        yield from validate_all(candidates, runs, place.executor, settings)


def _check_stamp(job: ValidationJob, ledger: Ledger) -> None:
    first = ledger.notes["created_at"]
    if job.stamp_is_given and first != job.settings.created_at:
        raise InputError(
            f"{ledger.path} belongs to a run with other settings (--created-at {first}): repeat that one, "
            "leave --created-at out, or delete the file"
        )


def _duplicates(candidates: Sequence[BugCandidate]) -> dict[int, TaskInstance | RejectedCandidate]:
    """Every candidate whose patch came before, rejected without a run."""
    seen: set[tuple[str, str]] = set()
    found: dict[int, TaskInstance | RejectedCandidate] = {}
    for number, candidate in enumerate(candidates):
        key = (candidate.repo, candidate.bug_patch)
        if key in seen:
            found[number] = RejectedCandidate(candidate, "duplicate", "the same patch came before")
        seen.add(key)
    return found


def _by_repo(job: ValidationJob, results: dict[int, Any]) -> dict[str, list[int]]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, candidate in enumerate(job.candidates):
        if number not in results:
            numbers[candidate.repo].append(number)
    return numbers


def _with_issue(task: TaskInstance, testbed: Testbed, issues: Writing) -> TaskInstance:
    return stated(task, write_issue(task, issues.mode, issues.materials(testbed)))


def _split(
    results: dict[int, TaskInstance | RejectedCandidate], candidates: Sequence[BugCandidate]
) -> tuple[TaskTable, list[RejectedCandidate]]:
    """Tasks and rejected rows in the order of the candidates; two patches that make the same bug are one task."""
    tasks: dict[str, TaskInstance] = {}
    rejected = []
    for number, result in sorted(results.items()):
        if isinstance(result, RejectedCandidate):
            rejected.append(result)
        elif result.instance_id in tasks:
            detail = f"it makes the same bug as {result.instance_id}"
            rejected.append(RejectedCandidate(candidates[number], "duplicate", detail))
        else:
            tasks[result.instance_id] = result
    return TaskTable(tasks.values()), rejected


def _to_row(result: TaskInstance | RejectedCandidate) -> dict[str, Any]:
    if isinstance(result, TaskInstance):
        return {"task": schema.to_row(result)}
    return {"rejected": {"reason": result.reason, "detail": result.detail}}


def _from_row(row: dict[str, Any], candidate: BugCandidate) -> TaskInstance | RejectedCandidate:
    if "task" in row:
        return schema.from_row(row["task"], "ledger")
    return RejectedCandidate(candidate, **row["rejected"])


def summary(table: TaskTable, rejected: Sequence[RejectedCandidate]) -> dict[str, Any]:
    """Counts for people and for `--json`."""
    total = len(table) + len(rejected)
    return {
        "candidates": total,
        "tasks": len(table),
        "yield": round(len(table) / total, 4) if total else 0.0,
        "rejected": by_reason(rejected),
    }
