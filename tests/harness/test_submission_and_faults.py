"""What an agent leaves behind, and runs that do not come to their end: verdict, violation and fault are told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from samples import bug

from swesmith_gym import diff
from swesmith_gym.errors import GradingFault, PatchDoesNotApply, SandboxDied, SandboxUnavailable
from swesmith_gym.harness import grade
from swesmith_gym.harness.runs import FullRuns
from swesmith_gym.harness.submission import from_patch, from_sandbox
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.validate import ValidationSettings, validate
from swesmith_gym.records import BugCandidate, FileChange, RejectedCandidate, Submission
from swesmith_gym.sandboxes.base import Sandbox
from swesmith_gym.tasks import TaskTable
from swesmith_gym.tasks.tree import LINK

pytestmark = [pytest.mark.sandbox, pytest.mark.network]


@pytest.fixture
def sandbox(abacus: Testbed) -> Iterator[Sandbox]:
    with abacus.start() as running:
        yield running


def test_modes_and_inside_links_survive_both_ways(abacus: Testbed, sandbox: Sandbox) -> None:
    sandbox.run("printf 'echo 1\\n' > new.sh; chmod +x new.sh src/abacus/words.py; ln -s numbers.py src/abacus/n.py")
    found = {change.path: change for change in from_sandbox(sandbox, abacus.pristine).changes}
    assert {path: change.mode for path, change in found.items()} == {
        "new.sh": 0o755,
        "src/abacus/words.py": 0o755,
        "src/abacus/n.py": LINK,
    }
    patch = from_sandbox(sandbox, abacus.pristine).model_patch
    again = {change.path: change for change in from_patch(patch, abacus.pristine).changes}
    assert again == {path: change for path, change in found.items() if change.mode != LINK}


def test_what_tools_leave_is_nobodys_work(abacus: Testbed, sandbox: Sandbox) -> None:
    sandbox.run("python3 -m venv --without-pip env; mkdir -p .pytest_cache; echo x > .pytest_cache/x")
    assert from_sandbox(sandbox, abacus.pristine) == Submission()


def test_a_binary_is_work_only_where_the_tree_has_some_of_its_kind(abacus: Testbed, sandbox: Sandbox) -> None:
    sandbox.run("for name in a.so b.dat; do printf '\\177ELF\\000' > src/abacus/$name; done; printf 'x\\0' > README.md")
    found = {change.path for change in from_sandbox(sandbox, abacus.pristine).changes}
    assert found == {"README.md"}
    base = {**abacus.pristine, "data/one.dat": (0o644, b"\0")}
    assert "src/abacus/b.dat" in {change.path for change in from_sandbox(sandbox, base).changes}


def test_what_is_gits_own_is_nobodys_work(abacus: Testbed, sandbox: Sandbox) -> None:
    sandbox.run("mkdir -p sub more; echo 'gitdir: ../x' > sub/.git; echo x > more/.GIT; echo y > more/kept")
    assert [change.path for change in from_sandbox(sandbox, abacus.pristine).changes] == ["more/kept"]


def test_a_folder_of_the_project_is_no_junk_for_its_name(abacus: Testbed, sandbox: Sandbox) -> None:
    sandbox.run("mkdir -p src/abacus/venv; echo x = 1 > src/abacus/venv/core.py")
    base = {**abacus.pristine, "src/abacus/venv/core.py": (0o644, b"x = 2\n")}
    (change,) = from_sandbox(sandbox, base).changes
    assert change == FileChange("src/abacus/venv/core.py", b"x = 1\n")


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "../..", "abacus/../../src"])
def test_links_that_lead_out(abacus: Testbed, sandbox: Sandbox, target: str) -> None:
    sandbox.run(f"ln -s {target} src/l")
    assert "leads out" in from_sandbox(sandbox, abacus.pristine).violation


def test_special_files_are_a_violation(abacus: Testbed, sandbox: Sandbox) -> None:
    sandbox.run("mkfifo src/pipe")
    assert "src/pipe" in from_sandbox(sandbox, abacus.pristine).violation


def test_half_a_character_is_no_patch(abacus: Testbed) -> None:
    with pytest.raises(PatchDoesNotApply, match="half a character"):
        from_patch("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+\ud800\n", abacus.pristine)


@pytest.mark.parametrize("path", ["src/abacus/numbers.py/x.py", f"src/{'x' * 300}.py"])
def test_a_candidate_that_no_tree_can_hold_is_a_row(abacus: Testbed, path: str) -> None:
    candidate = BugCandidate("abacus", "procedural", None, diff.unified(path, None, "x = 1\n"))
    result = validate(candidate, FullRuns(abacus), ValidationSettings("2026-01-01T00:00:00Z"))
    assert isinstance(result, RejectedCandidate)
    assert result.reason == "patch_does_not_apply"


class _Backend:
    """The real backend with one step of a sandbox's life replaced."""

    def __init__(self, testbed: Testbed, start: Callable[[Any, Any], Any]) -> None:
        self._real, self._start = testbed.backend, start
        self.starts = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def start(self, spec: Any) -> Any:
        self.starts += 1
        return self._start(self, self._real.start(spec))


def on(testbed: Testbed, start: Callable[[Any, Any], Any]) -> Testbed:
    return replace(testbed, backend=_Backend(testbed, start))  # type: ignore[arg-type]


def gold(abacus: Testbed) -> Submission:
    pristine = {c.path: c for c in abacus.changes({p: d for p, (_, d) in abacus.pristine.items()})}
    return Submission(
        tuple(c for path, c in pristine.items() if path.startswith("src/abacus/") and path.endswith(".py"))
    )


def test_a_sandbox_that_dies_once_costs_an_honest_solution_nothing(abacus: Testbed, abacus_tasks: TaskTable) -> None:
    def start(backend: _Backend, sandbox: Sandbox) -> Sandbox:
        if backend.starts == 1:

            def read_file(path: str, **_: Any) -> bytes:
                raise SandboxDied("gone")

            sandbox.read_file = read_file  # type: ignore[method-assign]
        return sandbox

    task = abacus_tasks[0]
    assert grade(task, gold(abacus), on(abacus, start)).resolved


def test_a_host_that_starts_nothing_is_a_fault(abacus: Testbed, abacus_tasks: TaskTable) -> None:
    for error in (OSError(24, "too many open files"), SandboxUnavailable("no namespaces")):

        def start(backend: _Backend, sandbox: Sandbox, error: Exception = error) -> Sandbox:
            sandbox.close()
            raise error

        with pytest.raises(GradingFault, match="starts"):
            grade(abacus_tasks[0], Submission(), on(abacus, start))


def test_a_submission_that_ends_the_run_is_a_violation(abacus: Testbed, abacus_tasks: TaskTable) -> None:
    kill = b"import os\nos._exit(0)\n"
    verdict = grade(abacus_tasks[0], Submission((FileChange("src/abacus/__init__.py", kill),)), abacus)
    assert not verdict.resolved
    assert "never came to their end" in verdict.violation


def test_a_submission_that_is_too_slow_is_unresolved(abacus: Testbed, abacus_tasks: TaskTable) -> None:
    quick = replace(abacus, image=replace(abacus.image, test=replace(abacus.image.test, timeout_s=4)))
    loop = b"while True:\n    pass\n"
    verdict = grade(abacus_tasks[0], Submission((FileChange("src/abacus/__init__.py", loop),)), quick)
    assert (verdict.resolved, verdict.violation) == (False, "")


def test_a_submission_that_fits_into_no_tree_is_a_violation(abacus: Testbed, abacus_tasks: TaskTable) -> None:
    changes = (FileChange("src/abacus/numbers.py/x", b""),)
    assert "cannot be laid" in grade(abacus_tasks[0], Submission(changes), abacus).violation


def test_a_new_module_named_as_a_plug_in_is_left_out(abacus: Testbed) -> None:
    planted = replace(abacus, image=replace(abacus.image, test=replace(abacus.image.test, plugins=("pytest_mock",))))
    assert planted.on_surface("pytest_mock.py")
    assert planted.on_surface("pytest_mock/__init__.py")
    assert not planted.on_surface("src/pytest_mock.py")
    assert not abacus.on_surface("pytest_mock.py")


def test_a_sandbox_that_always_dies_is_a_row_and_no_end_of_the_job(abacus: Testbed) -> None:
    def start(backend: _Backend, sandbox: Sandbox) -> Sandbox:
        sandbox.close()
        raise SandboxDied("gone")

    candidate = bug("src/abacus/numbers.py", "return low", "return high")
    result = validate(candidate, FullRuns(on(abacus, start)), ValidationSettings("2026-01-01T00:00:00Z"))
    assert isinstance(result, RejectedCandidate)
    assert result.reason == "sandbox_error"
