"""Combined bugs: parts that are apart, groups, ids, and what validation asks of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from samples import ABACUS, EDITS, TASK, bug

from swesmith_gym import languages
from swesmith_gym.bugs.base import Ground
from swesmith_gym.bugs.combine import MOST_OF_GROUP, CombineFile, CombineModule
from swesmith_gym.diff import unified
from swesmith_gym.errors import CandidateRejected, InputError
from swesmith_gym.harness.compare import refuse_idle_parts
from swesmith_gym.harness.runs import FullRuns
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.validate import ValidationSettings, validate
from swesmith_gym.patch import apply, touched
from swesmith_gym.pipeline.generation import ground_of
from swesmith_gym.records import BugCandidate, TaskInstance, Validation
from swesmith_gym.tasks import TaskTable

LINES = [f"a{n} = {n}\r\n" for n in range(60)]
FILES = {
    "pkg/one.py": "".join(LINES).encode(),
    "pkg/two.py": "".join(LINES).encode(),
    "pkg/deep/three.py": "".join(LINES).encode(),
    "top.py": "".join(LINES).encode(),
    "pkg/data.txt": b"a\n",
}
GROUND = Ground("demo", FILES, languages.get("python"), lambda path: True)


def task(path: str, line: int, name: str = "", **fields: object) -> TaskInstance:
    """A bug in one line of a file."""
    before = FILES[path].decode()
    after = before.replace(LINES[line], f"a{line} = -1\r\n") if path.endswith(".py") else "b\n"
    made = replace(
        TASK, instance_id=name or f"demo__{path.replace('/', '.')}.{line}", bug_patch=unified(path, before, after)
    )
    return replace(made, FAIL_TO_PASS=(f"tests/test_x.py::test_{path}_{line}",), **fields)  # type: ignore[arg-type]


def made(
    kind: type[CombineFile] | type[CombineModule], tasks: Sequence[TaskInstance], **how: int
) -> list[BugCandidate]:
    found = list(kind(tasks).candidates(GROUND, **how))
    assert all(isinstance(each, BugCandidate) for each in found)
    return found  # type: ignore[return-value]


def test_a_combination_holds_every_part_and_nothing_else() -> None:
    tasks = [task("pkg/one.py", line) for line in (3, 20, 40)]
    found = made(CombineFile, tasks)
    assert len(found) == 4  # three pairs and all three
    for each in found:
        text = apply(each.bug_patch, FILES.get)["pkg/one.py"]
        assert text is not None
        changed = [line for line in (3, 20, 40) if f"a{line} = -1\r\n".encode() in text]
        assert {f"tests/test_x.py::test_pkg/one.py_{line}" for line in changed} == {part[0] for part in each.parts}
        assert text.count(b"\r\n") == len(LINES)
        assert sum(a != b for a, b in zip(text.splitlines(), FILES["pkg/one.py"].splitlines(), strict=True)) == len(
            changed
        )
        assert (each.strategy, each.cost_usd) == ("combine_file", 0.0)
        assert all(each.explanation.count(f".{line}:") == 1 for line in changed)


def test_bugs_that_touch_are_not_combined() -> None:
    both = task("pkg/one.py", 3), task("pkg/one.py", 3, "demo__other")
    assert made(CombineFile, both) == []
    assert made(CombineFile, [task("pkg/one.py", 3), task("pkg/one.py", 3)]) == []


def test_files_for_one_strategy_folders_for_the_other() -> None:
    tasks = [task("pkg/one.py", 3), task("pkg/two.py", 5), task("pkg/deep/three.py", 3), task("top.py", 1)]
    assert made(CombineFile, tasks) == []
    (found,) = made(CombineModule, tasks)
    assert touched(found.bug_patch) == {"pkg/one.py", "pkg/two.py"}
    more = [*tasks, task("pkg/one.py", 30)]
    for each in made(CombineModule, more):
        assert touched(each.bug_patch) == {"pkg/one.py", "pkg/two.py"}
        assert len(each.parts) == 2


def test_a_seed_gives_always_the_same_and_a_limit_is_spread() -> None:
    tasks = [task(path, line) for path in ("pkg/one.py", "pkg/two.py") for line in range(0, 60, 3)]
    assert made(CombineFile, tasks, seed=1, limit=10) == made(CombineFile, tasks[::-1], seed=1, limit=10)
    assert made(CombineFile, tasks, seed=1, limit=10) != made(CombineFile, tasks, seed=2, limit=10)
    paths = [sorted(touched(each.bug_patch)) for each in made(CombineFile, tasks, limit=10)]
    assert paths.count(["pkg/one.py"]) == paths.count(["pkg/two.py"]) == 5
    everything = made(CombineFile, tasks)
    assert len(everything) == 2 * MOST_OF_GROUP
    assert len({each.candidate_id for each in everything}) == len(everything)
    assert {len(each.parts) for each in everything} == {2, 3}


def test_what_cannot_be_combined_is_left_alone() -> None:
    alien = task("pkg/one.py", 3, repo="other")
    combined = task("pkg/one.py", 9, strategy="combine_file")
    stale = replace(task("pkg/one.py", 12), bug_patch="--- a/pkg/one.py\n+++ b/pkg/one.py\n@@ -1 +1 @@\n-x\n+y\n")
    data = task("pkg/data.txt", 0)
    with pytest.raises(InputError, match="no validated bug of demo to combine"):
        CombineFile([alien, combined, stale, data]).candidates(GROUND)
    assert len(made(CombineFile, [alien, combined, stale, data, task("pkg/one.py", 30), task("pkg/one.py", 50)])) == 1


def test_each_part_has_to_break_a_test_that_it_breaks_alone() -> None:
    found = Validation(("a", "b"), ("c",), (), {})
    refuse_idle_parts(found, [])
    refuse_idle_parts(found, [["a", "c"], ["b"]])
    with pytest.raises(CandidateRejected, match="bug 2 of 2") as caught:
        refuse_idle_parts(found, [["a"], ["c"]])
    assert caught.value.reason == "part_without_effect"


@pytest.mark.sandbox
@pytest.mark.network
def test_combined_bugs_of_a_real_package_become_tasks(abacus: Testbed, abacus_tasks: TaskTable) -> None:
    settings = ValidationSettings("2026-01-01T00:00:00Z")
    runs = FullRuns(abacus)
    for kind in (CombineFile, CombineModule):
        found = list(kind(list(abacus_tasks)).candidates(ground_of(abacus)))
        assert found
        for candidate in found:
            assert isinstance(candidate, BugCandidate)
            task = validate(candidate, runs, settings)
            assert isinstance(task, TaskInstance)
            assert task.strategy == kind.name
            assert all(set(part) <= set(task.FAIL_TO_PASS) for part in candidate.parts)


@pytest.mark.sandbox
@pytest.mark.network
def test_a_part_that_no_test_sees_is_refused(abacus: Testbed) -> None:
    candidate = replace(bug(*EDITS[1]), parts=(("tests/test_numbers.py::test_of_another_bug",),))
    found = validate(candidate, FullRuns(abacus), ValidationSettings("2026-01-01T00:00:00Z"))
    assert getattr(found, "reason", "") == "part_without_effect"
    assert (ABACUS / EDITS[1][0]).is_file()
