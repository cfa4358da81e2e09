"""Grading by impact: the verdict of the whole suite, out of the files that can be reached."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from swesmith_gym import harness
from swesmith_gym.envs.testbeds import prepare_unwritten
from swesmith_gym.harness import attempts
from swesmith_gym.harness.impact import Exactness, Impact
from swesmith_gym.harness.reach import completed, unreached
from swesmith_gym.harness.submission import from_patch
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import FileChange, Outcome, Submission, TaskInstance, TestReport, Verdict
from swesmith_gym.tasks import TaskTable

pytestmark = [pytest.mark.sandbox, pytest.mark.network]
WORDS = "src/abacus/words.py"


@pytest.fixture
def exact(impact: Impact) -> Impact:
    return replace(impact, exactness=Exactness(1, 1))


def graded(task: TaskInstance, patch: str, impact: Impact | None) -> Verdict:
    prepared = prepare_unwritten(task, backend="auto")
    found = harness.grade(task, from_patch(patch, prepared.sealed.tree), prepared.testbed, impact=impact)
    return replace(found, duration_s=0.0)


def test_the_verdict_is_that_of_the_whole_suite(
    abacus_tasks: TaskTable, exact: Impact, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_out: set[str] = set()
    run = attempts.Bench.run

    def seen(bench: attempts.Bench, changes: tuple[FileChange, ...], watch: attempts.Watch) -> TestReport:
        left_out.update(watch.left_out)
        return run(bench, changes, watch)

    monkeypatch.setattr(attempts.Bench, "run", seen)
    for task in abacus_tasks:
        for patch, resolved in ((task.gold_patch, True), ("", False)):
            whole = graded(task, patch, None)
            assert left_out == set()
            assert graded(task, patch, exact) == whole
            assert whole.resolved is resolved
            assert left_out
            left_out.clear()


def test_a_fix_that_breaks_another_file_is_seen(abacus: Testbed, abacus_tasks: TaskTable, exact: Impact) -> None:
    task = next(task for task in abacus_tasks if WORDS not in task.bug_patch)
    prepared = prepare_unwritten(task, backend="auto")
    words = abacus.pristine[WORDS][1].replace(b"return WORDS[number]", b"return WORDS[number - 1]")
    gold = from_patch(task.gold_patch, prepared.sealed.tree)
    both = Submission(changes=(*gold.changes, FileChange(WORDS, words, 0o644)))
    found = [harness.grade(task, both, prepared.testbed, impact=each) for each in (None, exact)]
    assert found[0].p2p_failure == found[1].p2p_failure != ()
    assert [each.resolved for each in found] == [False, False]


def test_everything_is_run_where_nothing_certain_is_known(abacus: Testbed, impact: Impact, exact: Impact) -> None:
    change = FileChange(WORDS, abacus.pristine[WORDS][1] + b"\n# more\n", 0o644)
    some = next(iter(abacus.passing))
    assert unreached(abacus, exact, [change], [some], [])
    assert not unreached(abacus, impact, [change], [some], [])  # its exactness is not known
    assert not unreached(abacus, exact, [FileChange("new.cfg", b"", 0o644)], [some], [])
    assert not unreached(abacus, Impact(exactness=Exactness(1, 1)), [change], [some], [])


def test_what_a_run_says_counts_more_than_what_was_before(abacus: Testbed) -> None:
    test = next(iter(abacus.passing))
    path = abacus.language.module_of(test)
    failed = replace(abacus.image.baseline[test], outcome=Outcome.FAILED)
    report = TestReport({test: failed}, (), {}, True, 1, False, 0.0)
    found = completed(report, [path], abacus)
    assert found.results[test].outcome is Outcome.FAILED
    assert len(found.results) == sum(abacus.language.module_of(each) == path for each in abacus.image.baseline)
    nothing = replace(report, broken_modules={"": "conftest"})
    assert completed(nothing, [path], abacus) is nothing


def test_an_unknown_kind_of_grading_is_refused(abacus_tasks: TaskTable, tmp_path: Path) -> None:
    from swesmith_gym import grade
    from swesmith_gym.errors import InputError

    with pytest.raises(InputError, match="grading is 'half': it must be one of 'full', 'impacted'"):
        grade(next(iter(abacus_tasks)), "", grading="half")  # type: ignore[arg-type]
