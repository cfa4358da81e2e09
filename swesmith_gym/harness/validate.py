"""Validation: a bug candidate goes in, a task or a rejected row with a reason comes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from swesmith_gym import diff
from swesmith_gym.errors import CandidateRejected, PatchDoesNotApply, SandboxDied
from swesmith_gym.executors import Executor
from swesmith_gym.harness import compare
from swesmith_gym.harness.quality import quality
from swesmith_gym.harness.runs import Attempt, Runs
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import (
    BugCandidate,
    RejectedCandidate,
    TaskInstance,
    TaskQuality,
    TestReport,
    Validation,
    content_id,
)
from swesmith_gym.tasks import sealing
from swesmith_gym.tasks.sealing import HideTests, SealedTree

_EXCERPT = 2_000
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """What a run of validation is asked to do."""

    created_at: str
    """Time stamp of every task, ISO 8601."""
    timeout_s: float | None = None
    """Limit for one candidate's test run, in seconds; None: a multiple of the baseline's time."""
    keep_collection_errors: bool = False
    """Keep bugs that stop test modules from being collected. Off: they are rejected, since the repository's own
    command stops at the first such error, and no one would train on them (decision record 0008)."""
    most_broken: float | None = None
    """Share of the passing tests that a bug may break; one that breaks more is rejected as soon as that is known."""
    reruns: int = 3
    """How often the FAIL_TO_PASS tests of each task are run again, with the bug and without it."""


def validate_all(
    candidates: Iterable[BugCandidate], runs: Runs, executor: Executor, settings: ValidationSettings
) -> Iterator[tuple[int, TaskInstance | RejectedCandidate]]:
    """Results with the candidates' places, as they finish. Raises: SandboxError (the host cannot run tests at all)."""

    def one(candidate: BugCandidate) -> TaskInstance | RejectedCandidate:
        return validate(candidate, runs, settings)

    for done in executor.map(one, candidates):
        yield done.index, done.value


def validate(candidate: BugCandidate, runs: Runs, settings: ValidationSettings) -> TaskInstance | RejectedCandidate:
    """Run the tests with one bug in the tree and judge it. A sandbox that dies is tried again.

    Raises: SandboxUnavailable (this host starts none), OSError (its disk is full).
    """
    for _ in range(ATTEMPTS):
        try:
            return _validate(candidate, runs, settings)
        except SandboxDied as death:
            detail = str(death)
    return RejectedCandidate(candidate, "sandbox_error", f"{ATTEMPTS} sandboxes died: {detail}")


def _validate(candidate: BugCandidate, runs: Runs, settings: ValidationSettings) -> TaskInstance | RejectedCandidate:
    testbed = runs.testbed
    try:
        files = buggy(candidate.bug_patch, testbed)
        with runs.on(files) as attempt:
            found = _judged(attempt, testbed, settings)
        if isinstance(found, CandidateRejected):
            raise found
        compare.refuse_idle_parts(found, candidate.parts)
        sealed = seal(runs, candidate.bug_patch, found.fail_to_pass)
    except CandidateRejected as rejected:
        return RejectedCandidate(candidate, rejected.reason, rejected.detail)
    measures = quality(candidate.bug_patch, files, found, testbed, runs.impact)
    return _task(candidate, testbed, files, found, sealed, measures, settings)


def _judged(attempt: Attempt, testbed: Testbed, settings: ValidationSettings) -> Validation | CandidateRejected:
    """Returned, not raised: a rejection is no failure of the attempt."""
    try:
        found = judge(
            attempt.report,
            testbed,
            keep_collection_errors=settings.keep_collection_errors,
            most_broken=testbed.part_of_passing(settings.most_broken),
        )
        if settings.reruns:
            again = attempt.again(found.fail_to_pass, settings.reruns)
            found = compare.stable(found, again.bug, again.gold)
    except CandidateRejected as rejected:
        return rejected
    return found


def judge(
    report: TestReport, testbed: Testbed, *, keep_collection_errors: bool, most_broken: int | None = None
) -> Validation:
    """What a run with a bug shows. `most_broken`: as in `compare.validation`. Raises: CandidateRejected."""
    found = compare.validation(testbed.passing, report, testbed.language.module_of, most_broken=most_broken)
    if not keep_collection_errors:
        compare.refuse_collection_errors(found, report, testbed.language.module_of)
    return found


def buggy(bug_patch: str, testbed: Testbed) -> dict[str, bytes | None]:
    """The files that a bug changes, as it leaves them. Raises: CandidateRejected (it is none)."""
    try:
        files = sealing.buggy_files(testbed.pristine, bug_patch)
    except PatchDoesNotApply as error:
        raise CandidateRejected(reason="patch_does_not_apply", detail=str(error)) from error
    for path in files:
        if testbed.on_surface(path):
            raise CandidateRejected(reason="touches_tests", detail=f"{path} belongs to the test surface")
    changes = {path: (_before(testbed, path), data) for path, data in files.items()}
    if all(_equivalent(testbed, path, *change) for path, change in changes.items()):
        raise CandidateRejected(reason="equivalent", detail="the byte code is the same")
    return files


def _before(testbed: Testbed, path: str) -> bytes | None:
    return sealing.reader(testbed.pristine)(path)


def _equivalent(testbed: Testbed, path: str, before: bytes | None, after: bytes | None) -> bool:
    if before == after:
        return True
    if before is None or after is None or not testbed.language.is_source(path):
        return False
    try:
        return testbed.language.equivalent(before.decode(), after.decode())
    except UnicodeDecodeError:
        return False


def seal(runs: Runs, bug_patch: str, fail_to_pass: tuple[str, ...]) -> SealedTree:
    """The agent's tree, with as little taken out as still collects. Raises: CandidateRejected (sealing_failed)."""
    testbed = runs.testbed
    ways: tuple[HideTests, ...] = ("functions", "files")
    for how in ways:
        sealed = sealing.seal(
            testbed.pristine, bug_patch, fail_to_pass, tuple(testbed.image.baseline), testbed.language, hide_tests=how
        )
        if collects(runs, sealed):
            return sealed
    raise CandidateRejected(
        reason="sealing_failed", detail="without its FAIL_TO_PASS tests the suite does not collect the other tests"
    )


def collects(runs: Runs, sealed: SealedTree) -> bool:
    """With the hidden tests taken out of the *pristine* code, exactly the others are still collected."""
    testbed = runs.testbed
    if sealed.certain:
        return True
    surface = {
        path: sealed.tree[path][1] if path in sealed.tree else None
        for path in testbed.pristine
        if testbed.on_surface(path) and sealed.tree.get(path) != testbed.pristine[path]
    }
    if not surface:
        return True
    found = runs.collected(sealed, surface)
    return found & testbed.countable == testbed.countable - frozenset(sealed.hidden_tests)


def gold_patch(testbed: Testbed, files: dict[str, bytes | None]) -> str:
    """The reverse of a bug: from the files as it leaves them back to the pristine ones."""
    buggy = {change.path: change for change in testbed.changes(files)}
    return diff.of_changes(
        diff.Change(path, each.data, _before(testbed, path), each.mode, each.mode) for path, each in buggy.items()
    )


def _task(
    candidate: BugCandidate,
    testbed: Testbed,
    files: dict[str, bytes | None],
    found: Validation,
    sealed: SealedTree,
    measures: TaskQuality,
    settings: ValidationSettings,
) -> TaskInstance:
    image = testbed.image
    shown = min(found.fail_to_pass, key=lambda test: (not found.messages[test], len(found.messages[test]), test))
    return TaskInstance(
        instance_id=f"{image.repo}__{content_id(image.repo, image.source, files)[:12]}",
        repo=image.repo,
        image_key=image.key,
        fingerprint=image.fingerprint,
        strategy=candidate.strategy,
        operator=candidate.operator,
        bug_patch=candidate.bug_patch,
        gold_patch=gold_patch(testbed, files),
        FAIL_TO_PASS=found.fail_to_pass,
        PASS_TO_PASS=found.pass_to_pass,
        problem_statement="",
        language=image.language,
        explanation=candidate.explanation,
        seed=candidate.seed,
        cost_usd=candidate.cost_usd,
        model=candidate.model,
        original_text=candidate.original_text,
        created_at=settings.created_at,
        repo_source=image.source,
        repo_license=image.license,
        sealed_digest=sealed.digest,
        hidden_tests=sealed.hidden_tests,
        lost=found.lost,
        failure_excerpt=f"{shown}\n{found.messages[shown][-_EXCERPT:]}",
        quality=measures,
        reruns=settings.reruns,
    )
