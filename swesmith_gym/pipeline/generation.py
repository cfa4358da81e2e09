"""The job behind `bugs generate`: a built repository in, a candidates file out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from swesmith_gym.bugs.base import Ground, Judge
from swesmith_gym.bugs.registry import ASKING, Means, strategy
from swesmith_gym.errors import LMError
from swesmith_gym.harness.runs import Runs
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.validate import ValidationSettings, validate
from swesmith_gym.pipeline import candidates as files
from swesmith_gym.pipeline import provenance
from swesmith_gym.pipeline.workplace import Workplace
from swesmith_gym.records import BugCandidate, RejectedCandidate
from swesmith_gym.repos import impacts
from swesmith_gym.repos.resolve import built
from swesmith_gym.tasks import tree as trees

_SAID = {
    "no_failing_test": "every test still passes with it",
    "all_tests_broken": "every test fails with it",
    "breaks_too_much": "nearly every test fails with it",
    "collection_error": "the tests cannot even be loaded with it",
    "timeout": "the tests never end with it",
    "crash": "the whole test run dies with it",
    "equivalent": "it behaves as the original does",
    "flaky": "it makes tests fail only sometimes",
}
"""Reason for a rejection -> what whoever wrote the candidate is told."""


def run(
    repo: str,
    place: Workplace,
    strategies: Sequence[str],
    out: Path,
    *,
    means: Means = Means(),  # noqa: B008  (immutable)
    limit: int | None = None,
    seed: int = 0,
    rejected: Path | None = None,
) -> dict[str, Any]:
    """Write the candidates of all strategies to `out`; `limit` holds for each. Returns counts.

    What a strategy leaves out (no-ops, duplicates, answers that are no code) is counted by reason, and kept in
    `rejected` if given. Where a language model fails, what there is by then is written.
    Raises: InputError, ProfileError, LMError, OSError.
    """
    testbed = built(repo, place.backend)
    kept: list[BugCandidate] = []
    left_out: list[RejectedCandidate] = []
    try:
        with _judged(means, strategies, testbed, place) as given:
            ground = ground_of(testbed)
            for made in [strategy(name, given) for name in strategies]:
                for each in made.candidates(ground, limit=limit, seed=seed):
                    _sort(each, kept, left_out)
                    if limit is not None:
                        place.progress(len(kept), limit * len(strategies), f"{len(left_out)} left out")
    except LMError:
        _write(out, kept, rejected, left_out)
        raise
    _write(out, kept, rejected, left_out)
    return {"candidates": len(kept), "rejected": provenance.by_reason(left_out), "out": str(out)}


def _write(
    out: Path, kept: Sequence[BugCandidate], rejected: Path | None, left_out: Sequence[RejectedCandidate]
) -> None:
    files.write(out, kept)
    if rejected:
        files.write_rejected(rejected, left_out)


def _sort(each: BugCandidate | RejectedCandidate, kept: list[BugCandidate], left_out: list[RejectedCandidate]) -> None:
    if isinstance(each, RejectedCandidate):
        left_out.append(each)
    else:
        kept.append(each)


def ground_of(testbed: Testbed) -> Ground:
    """Where bugs can be put in a built repository: anywhere off its test surface."""
    files = trees.contents(testbed.pristine)
    return Ground(testbed.image.repo, files, testbed.language, lambda path: not testbed.on_surface(path))


@contextmanager
def _judged(means: Means, strategies: Sequence[str], testbed: Testbed, place: Workplace) -> Iterator[Means]:
    """With a judge, where a model may answer more than once."""
    if means.rounds == 1 or ASKING.isdisjoint(strategies):
        yield means
        return
    impact = impacts.ensure(testbed, place.executor, place.progress)
    with closing(impacts.runs(testbed, impact, timeout_s=None, whole=True)) as runs:
        yield replace(means, judge=judge(runs))


def judge(runs: Runs) -> Judge:
    """Validates a candidate, and says what kept it from being a task."""
    settings = ValidationSettings("", reruns=1)

    def judged(candidate: BugCandidate) -> str:
        found = validate(candidate, runs, settings)
        if not isinstance(found, RejectedCandidate):
            return ""
        return _SAID.get(found.reason, "it cannot be used")

    return judged
