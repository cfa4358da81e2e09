"""Records that several tests need."""

from __future__ import annotations

from pathlib import Path

from swesmith_gym.diff import unified
from swesmith_gym.records import BugCandidate, TaskInstance

ABACUS = Path(__file__).parent / "data" / "abacus"
EDITS = (
    ("src/abacus/numbers.py", "result + value", "result - value"),
    ("src/abacus/numbers.py", "return low", "return high"),
    ("src/abacus/words.py", "return WORDS[number]", "return WORDS[number - 1]"),
)
"""Three bugs: (file, what it says, what the bug makes of it)."""


def bug(path: str, old: str, new: str, **fields: object) -> BugCandidate:
    before = (ABACUS / path).read_text()
    assert before.count(old) == 1
    values: dict[str, object] = {"repo": "abacus", "strategy": "procedural", "operator": "by_hand"}
    return BugCandidate(bug_patch=unified(path, before, before.replace(old, new)), **{**values, **fields})  # type: ignore[arg-type]


TASK = TaskInstance(
    instance_id="demo__0123456789ab",
    repo="demo",
    image_key="demo-0123456789ab",
    fingerprint="f" * 64,
    strategy="procedural",
    operator=None,
    bug_patch="--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\r\n+b\n",
    gold_patch="--- a/x\n+++ b/x\n@@ -1 +1 @@\n-b\n+a\r\n",
    FAIL_TO_PASS=("tests/test_x.py::test[a b]", "tests/test_x.py::test[é::]"),
    PASS_TO_PASS=(),
    problem_statement="It fails.",
    language="python",
    explanation="",
    seed=3,
    cost_usd=None,
    created_at="2026-01-01T00:00:00Z",
    repo_source="pypi:demo==1",
    repo_license="MIT",
    sealed_digest="d" * 64,
)
