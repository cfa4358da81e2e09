"""A reproduction has to fail with the bug and to end well without, each time; a sandbox that died is not its fault."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from issue_samples import LANGUAGE, task

from swesmith_gym.diff import unified
from swesmith_gym.errors import SandboxDied
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.issues import trial
from swesmith_gym.records import ExecResult, TestSetup

GOOD = ExecResult(0, b"", b"", 0.1)
BAD = ExecResult(1, b"", b"Traceback\nAssertionError: 120 in /tmp/run-17/x", 0.1)
SLOW = ExecResult(None, b"", b"", 1.0, timed_out=True)
FULL = ExecResult(None, b"", b"", 1.0, oom_killed=True)
CODE = "def total(prices):\n    return sum(prices)\n"
PRISTINE = {"shop/cart.py": (0o644, CODE.encode()), "tests/test_cart.py": (0o644, b"")}
BUG = unified("shop/cart.py", CODE, CODE.replace("sum", "max"))


class Bed:
    """A testbed whose sandboxes give `results` in turn; notes what was laid over the tree, and how long it may run."""

    language = LANGUAGE
    image = SimpleNamespace(test=TestSetup())
    pristine = PRISTINE

    def __init__(self, *results: ExecResult | SandboxDied) -> None:
        self.results = list(results)
        self.started: list[dict[str, bytes | None]] = []
        self.limits: list[float] = []
        self.stdin: set[bytes] = set()

    def start(self, files: dict[str, bytes | None]) -> Bed:
        self.started.append(files)
        return self

    def __enter__(self) -> Bed:
        return self

    def __exit__(self, *_: object) -> None:
        """Closed."""

    def run(self, command: str, *, timeout_s: float, env: object, stdin: bytes) -> ExecResult:
        self.limits.append(timeout_s)
        self.stdin.add(stdin)
        result = self.results.pop(0)
        if isinstance(result, SandboxDied):
            raise result
        return result


def tried(*results: ExecResult | SandboxDied, **fields: Any) -> tuple[trial.Trial, Bed]:
    bed = Bed(*results)
    return trial.run(cast("Testbed", bed), task(**{"bug": BUG, **fields}), "code()"), bed


def test_both_trees_twice_without_the_tests_and_by_standard_input() -> None:
    found, bed = tried(GOOD, BAD, GOOD, BAD)
    assert found == trial.Trial()
    hidden = {"tests/test_cart.py": None, "tests/test_stock.py": None}
    pristine, buggy = bed.started[:2]
    assert pristine == hidden
    assert buggy.keys() == hidden.keys() | {"shop/cart.py"}
    assert b"max(prices)" in cast("bytes", buggy["shop/cart.py"])
    assert bed.stdin == {b"code()\n"}
    assert bed.limits[:2] == [trial.PRISTINE_S, trial.BUGGY_S]


@pytest.mark.parametrize(
    ("results", "fault"),
    [
        ((BAD,), "fails_without_bug"),
        ((FULL,), "fails_without_bug"),
        ((SLOW,), "hangs_without_bug"),
        ((GOOD, GOOD), "passes_with_bug"),
        ((GOOD, BAD, BAD), "reproduction_varies"),
        ((GOOD, BAD, SLOW), "reproduction_varies"),
        ((GOOD, BAD, GOOD, GOOD), "reproduction_varies"),
        ((GOOD, SLOW), ""),
        ((GOOD, FULL, GOOD, FULL), ""),
        ((SandboxDied("gone"), GOOD, BAD, SandboxDied("gone"), GOOD, BAD), ""),
        ((GOOD, SandboxDied("gone"), SandboxDied("gone")), "sandbox_died"),
    ],
)
def test_how_it_did(results: tuple[ExecResult | SandboxDied, ...], fault: str) -> None:
    found, bed = tried(*results)
    assert found.fault == fault
    assert bed.results == []


def test_what_was_printed_is_told_in_short() -> None:
    assert tried(BAD)[0].said == "Traceback\nAssertionError: 120 in /tmp/..."
    loud = ExecResult(1, b"o" * 1_000_000, b"e\n" * 500_000 + b"ValueError: \x1b[31mlast\x00", 0.1)
    said = tried(loud)[0].said
    assert len(said) <= trial.SAID_CHARS + 10
    assert said.endswith("ValueError: last")


def test_a_bug_of_another_tree_is_named() -> None:
    assert tried(bug="--- a/shop/cart.py\n+++ b/shop/cart.py\n@@ -1 +1 @@\n-a\n+b\n")[0].fault == "patch_does_not_apply"
