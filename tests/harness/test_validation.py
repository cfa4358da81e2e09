"""Validation on a real package: every candidate ends as a task or as a rejected row with a reason."""

from __future__ import annotations

import pytest
from samples import ABACUS, bug

from swesmith_gym.diff import unified
from swesmith_gym.harness.runs import FullRuns
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.validate import ValidationSettings, validate
from swesmith_gym.records import BugCandidate, RejectedCandidate, TaskInstance

pytestmark = [pytest.mark.sandbox, pytest.mark.network]
SETTINGS = ValidationSettings("2026-01-01T00:00:00Z")


def judged(candidate: BugCandidate, testbed: Testbed, settings: ValidationSettings = SETTINGS) -> TaskInstance:
    result = validate(candidate, FullRuns(testbed, settings.timeout_s), settings)
    assert isinstance(result, TaskInstance), result
    return result


def refused(candidate: BugCandidate, testbed: Testbed, settings: ValidationSettings = SETTINGS) -> RejectedCandidate:
    result = validate(candidate, FullRuns(testbed, settings.timeout_s), settings)
    assert isinstance(result, RejectedCandidate), result
    return result


def test_a_bug_becomes_a_task(abacus: Testbed) -> None:
    task = judged(bug("src/abacus/numbers.py", "return low", "return high"), abacus)
    assert task.FAIL_TO_PASS == ("tests/test_numbers.py::test_clamp[too low]",)
    assert len(task.PASS_TO_PASS) == 8
    assert task.hidden_tests == tuple(
        f"tests/test_numbers.py::test_clamp[{name}]" for name in ("in the middle", "too high", "too low")
    )
    assert task.lost == ()
    assert "-        return high\n+        return low\n" in task.gold_patch
    assert "test_clamp[too low]" in task.failure_excerpt


def test_the_id_is_of_the_bug_and_not_of_its_spelling(abacus: Testbed) -> None:
    once = bug("src/abacus/numbers.py", "return low", "return high")
    again = BugCandidate("abacus", "procedural", None, once.bug_patch.replace("diff --git", "# noise\ndiff --git", 1))
    assert judged(once, abacus).instance_id == judged(again, abacus).instance_id


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('raise ValueError("no values")', 'raise ValueError("none")', "no_failing_test"),
        ("    for value in values:", "    for value in values :", "equivalent"),
        ("    result = 0\n    for", "    while True:\n        pass\n    for", "timeout"),
        ("    result = 0\n    for", "    import os\n    os._exit(0)\n    for", "crash"),
        ('"""Arithmetic on lists of numbers."""', "raise RuntimeError('broken')", "all_tests_broken"),
    ],
)
def test_rejections(abacus: Testbed, old: str, new: str, reason: str) -> None:
    settings = ValidationSettings("2026-01-01T00:00:00Z", timeout_s=8 if reason == "timeout" else None)
    assert refused(bug("src/abacus/numbers.py", old, new), abacus, settings).reason == reason


def test_collection_errors_can_be_kept(abacus: Testbed) -> None:
    broken = bug("src/abacus/words.py", '"""Numbers as words."""', "raise RuntimeError('broken')")
    assert "test_words.py is not collected" in refused(broken, abacus).detail
    task = judged(broken, abacus, ValidationSettings("2026-01-01T00:00:00Z", keep_collection_errors=True))
    assert task.FAIL_TO_PASS == ("tests/test_words.py::test_large", "tests/test_words.py::test_small")


def test_the_test_surface_is_out_of_bounds(abacus: Testbed) -> None:
    for path in ("tests/test_numbers.py", "tests/conftest.py", "pyproject.toml"):
        before = (ABACUS / path).read_text()
        patch = unified(path, before, before + "\n# changed\n")
        assert refused(BugCandidate("abacus", "procedural", None, patch), abacus).reason == "touches_tests"
    foreign = unified("conftest.py", None, "x = 1\n")
    assert refused(BugCandidate("abacus", "procedural", None, foreign), abacus).reason == "touches_tests"


def test_a_patch_that_does_not_apply(abacus: Testbed) -> None:
    patch = "--- a/src/abacus/numbers.py\n+++ b/src/abacus/numbers.py\n@@ -1 +1 @@\n-nothing\n+something\n"
    found = refused(BugCandidate("abacus", "procedural", None, patch), abacus)
    assert found.reason == "patch_does_not_apply"
    assert "numbers.py: hunk 1" in found.detail
