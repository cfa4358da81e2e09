"""The conformance suite: every backend passes it, and a backend that breaks a promise does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from flawed import Act, Bend, Flawed, FlawedSandbox, timeout_by_code

from swesmith_gym.errors import InputError, SandboxDied, SandboxUnavailable
from swesmith_gym.home import home
from swesmith_gym.records import ExecResult, FileChange
from swesmith_gym.sandboxes import bubblewrap, seccomp
from swesmith_gym.sandboxes.base import WORKDIR, Sandbox, SandboxBackend, SandboxCapabilities, SandboxSpec
from swesmith_gym.sandboxes.bubblewrap import Bubblewrap
from swesmith_gym.sandboxes.conformance import CASES, Case, Finding, Status, check, check_all, streams, traces, trial
from swesmith_gym.sandboxes.conformance.run import TOKEN
from swesmith_gym.sandboxes.conformance.trial import Trial
from swesmith_gym.sandboxes.scripted import ScriptedBackend

pytestmark = pytest.mark.sandbox

BY_ID = {case.id: case for case in CASES}
PLAIN = BY_ID["O10"]
"""A case that any sandbox passes: what fails in it is what holds for all cases."""


def test_cases_are_those_of_the_list() -> None:
    assert Counter(case.group for case in CASES) == {"R": 14, "T": 14, "O": 18, "F": 18, "N": 8, "S": 10}
    assert len(BY_ID) == 82
    counts: Counter[str] = Counter()
    for case in CASES:
        counts[case.group] += 1
        assert case.id == f"{case.group}{counts[case.group]:02}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_backend_conforms(backend: SandboxBackend, case: Case) -> None:
    finding = check(case, backend, backend.root_fs())
    if finding.status in (Status.NOT_PROMISED, Status.CANNOT_RUN):
        assert finding.detail
        pytest.skip(f"{case.id} {finding.status}: {finding.detail}")
    assert finding.status == Status.PASSED, finding.detail


@pytest.fixture(autouse=True)
def usable(request: pytest.FixtureRequest, own_state: None) -> None:
    """The flawed backends are made of bubblewrap."""
    if "backend" not in request.fixturenames:
        try:
            Bubblewrap().capabilities()
        except SandboxUnavailable as error:
            pytest.skip(str(error))


def failure(case: str | Case, **flaws: object) -> str:
    """Why a flawed backend fails a case, which the sound one passes."""
    found = BY_ID[case] if isinstance(case, str) else case
    sound = check(found, Flawed())
    assert sound.status == Status.PASSED, sound.detail
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(traces, "SETTLE_S", 0.3)
        finding = check(found, Flawed(**flaws))  # type: ignore[arg-type]
    assert finding.status == Status.FAILED, finding
    assert "\n" not in finding.detail
    return finding.detail


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that a flaw leaves behind."""
    found: list[subprocess.Popen[bytes]] = []
    yield found
    for process in found:
        process.kill()
        process.wait()


Started = list[subprocess.Popen[bytes]]


def test_a_process_that_is_left_is_found(started: Started) -> None:
    def leak(spec: SandboxSpec) -> None:
        started.append(subprocess.Popen(["sleep", "600"], env={}))

    assert "left over after close: process" in failure(PLAIN, spoil=leak)


def test_an_orphan_is_found_by_its_token() -> None:
    def leak(spec: SandboxSpec) -> None:
        words = ["sh", "-c", "setsid sleep 600 > /dev/null 2>&1 & echo $!"]
        out = subprocess.run(words, env={"PATH": "/usr/bin:/bin", **spec.env}, capture_output=True, check=True).stdout
        orphans.append(int(out))

    orphans: list[int] = []
    try:
        assert "(sleep)" in failure(PLAIN, spoil=leak)
    finally:
        for pid in orphans:
            os.kill(pid, signal.SIGKILL)


def test_a_sandbox_that_is_not_closed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[FlawedSandbox] = []
    monkeypatch.setattr(FlawedSandbox, "close", lambda self: kept.append(self))  # noqa: PLW0108  (binds `self`)
    monkeypatch.setattr(traces, "SETTLE_S", 0.3)
    try:
        finding = check(PLAIN, Flawed())
    finally:
        for sandbox in kept:
            sandbox.inner.close()
    assert finding.status == Status.FAILED
    for what in ("process", "file", "descriptors"):
        assert what in finding.detail


@pytest.mark.parametrize("closes_others", [False, True])
def test_a_descriptor_that_is_left_is_found(closes_others: bool) -> None:
    """Also where the process closes one of its others meanwhile, a pipe that was waiting to be collected."""

    def leak(spec: SandboxSpec) -> None:
        taken.append(os.open(__file__, os.O_RDONLY))
        while closes_others and pipe:
            os.close(pipe.pop())

    taken: list[int] = []
    pipe = list(os.pipe())
    try:
        said = failure(PLAIN, spoil=leak)
    finally:
        for descriptor in taken + pipe:
            os.close(descriptor)
    assert f"1 descriptors of this process, among {__file__}" in said


@pytest.mark.parametrize("where", ["temporary", "state"])
def test_a_file_that_is_left_is_found(where: str) -> None:
    def leak(spec: SandboxSpec) -> None:
        made.append(Path(tempfile.mkdtemp(dir=home() / "run" if where == "state" else None)))

    made: list[Path] = []
    try:
        assert f"left over after close: file {home() if where == 'state' else ''}" in failure(PLAIN, spoil=leak)
    finally:
        for folder in made:
            with suppress(FileNotFoundError):
                folder.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_mount_that_is_left_is_found(tmp_path: Path) -> None:
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("root may not mount here")
    code = (
        "import subprocess, sys\nsys.path[:0] = sys.argv[1:]\nfrom test_conformance_suite import *\n"
        "spoil = lambda spec: subprocess.run(['mount', '--bind', str(spec.tree), str(spec.tree)], check=True)\n"
        "traces.SETTLE_S = 0.3\nprint(check(PLAIN, Flawed(spoil=spoil)).detail)"
    )
    words = ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", code, str(Path(__file__).parent)]
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([*words, *sys.path], env=env, capture_output=True, text=True, check=True)
    assert "mount " in done.stdout


def test_what_the_backend_itself_finds_is_told() -> None:
    left: list[str] = []
    assert "container abc" in failure(PLAIN, left=left, spoil=lambda spec: left.append("container abc"))


def test_what_was_there_before_does_not_count(started: Started) -> None:
    started.append(subprocess.Popen(["sleep", "600"]))
    (home() / "run").mkdir(exist_ok=True)
    with tempfile.TemporaryFile(), tempfile.TemporaryDirectory(dir=home() / "run"):
        assert check(PLAIN, Flawed(left=["container of another run"])).status == Status.PASSED


def test_a_tree_that_is_not_a_copy_is_found() -> None:
    def writable(spec: SandboxSpec) -> SandboxSpec:
        return replace(spec, tree_writable=True)

    def write(trial: Trial) -> None:
        trial.run("echo more > pkg/more")

    case = Case("X01", "F", "writes", write)
    assert "a change of the work tree on the host" in failure(case, respec=writable)


def later(sandbox: Sandbox, command: str, act: Act) -> ExecResult:
    if command != "sleep 60":
        return act()
    return sandbox.run("sleep 3", timeout_s=60)


def hanging(sandbox: Sandbox, command: str, act: Act) -> ExecResult:
    if command == "sleep 60":
        threading.Event().wait(5)  # longer than anybody waits for it
    return act()


@pytest.mark.parametrize("bend", [later, hanging])
def test_a_limit_that_is_ignored_is_found(bend: Bend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "GRACE_S", 1.5)
    assert "did not come back within its limit of 0.3 s" in failure("T01", bend=bend)


def changed(**fields: object) -> Bend:
    return lambda sandbox, command, act: replace(act(), **fields)  # type: ignore[arg-type]


def oom_by_code(sandbox: Sandbox, command: str, act: Act) -> ExecResult:
    result = act()
    return replace(result, oom_killed=True) if result.exit_code == 137 else result


def text_only(sandbox: Sandbox, command: str, act: Act) -> ExecResult:
    result = act()
    return replace(result, stdout=result.stdout.decode(errors="replace").replace("\r\n", "\n").encode())


def with_remains(sandbox: Sandbox, command: str, act: Act) -> ExecResult:
    """Runs in the session, whose jobs live on."""
    return sandbox.shell().run(f"({command}\n)") if "setsid" in command else act()


def tail_only(sandbox: Sandbox, command: str, act: Act) -> ExecResult:
    result = act()
    return replace(result, stdout=result.stdout[-1000:])


def one_stream(sandbox: Sandbox, command: str, act: Act) -> ExecResult:
    result = act()
    return replace(result, stdout=result.stdout + result.stderr, stderr=b"")


FLOOD = Case("X02", "O", "a small flood", lambda trial: streams.capped(trial, "head -c 1M /dev/zero"))
"""The floods of the suite, only shorter."""
RESULTS: dict[str, tuple[str | Case, Bend]] = {
    "output that was cut, unsaid": (FLOOD, changed(output_truncated=False)),
    "output that was cut at the front": (FLOOD, tail_only),
    "exit code 124 taken for the limit": ("T10", timeout_by_code),
    "exit code 137 taken for the memory killer": ("T11", oom_by_code),
    "output decoded": ("O06", text_only),
    "line ends changed": ("O09", text_only),
    "exit code swallowed": ("T06", changed(exit_code=0)),
    "children that live on": ("T03", with_remains),
    "streams mixed": ("O03", one_stream),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_wrong_result_is_found(name: str) -> None:
    case, bend = RESULTS[name]
    assert failure(case, bend=bend)


def through_links(sandbox: Sandbox, changes: tuple[FileChange, ...]) -> None:
    for change in changes:
        path = f"{WORKDIR}/{change.path}"
        if change.data is not None and sandbox.run(f"test -L '{path}'").exit_code == 0:
            sandbox.run(f"cat > '{path}'", stdin=change.data)
        else:
            sandbox.apply((change,))


def upwards(sandbox: Sandbox, changes: tuple[FileChange, ...]) -> None:
    sandbox.apply(tuple(replace(change, path=os.path.normpath(change.path)) for change in changes))


def text_changes(sandbox: Sandbox, changes: tuple[FileChange, ...]) -> None:
    sandbox.apply(
        tuple(replace(each, data=each.data and each.data.decode(errors="replace").encode()) for each in changes)
    )


@pytest.mark.parametrize(("case", "apply"), [("F03", through_links), ("F16", upwards), ("F13", text_changes)])
def test_a_wrong_change_is_found(case: str, apply: Callable[[Sandbox, tuple[FileChange, ...]], None]) -> None:
    assert failure(case, apply=apply)


@pytest.mark.parametrize("case", ["N01", "N02", "N08"])
def test_a_shared_network_is_found(case: str) -> None:
    assert failure(case, respec=lambda spec: replace(spec, network="full"))


@pytest.mark.parametrize(
    ("case", "limits"), [("R02", {"processes": 4096, "memory_bytes": 8 << 30}), ("R11", {"open_files": 1 << 17})]
)
def test_a_limit_that_is_not_held_is_found(case: str, limits: dict[str, int]) -> None:
    assert failure(case, respec=lambda spec: replace(spec, limits=replace(spec.limits, **limits)))


def test_a_limit_that_is_declared_and_not_held_is_found() -> None:
    finding = check(BY_ID["R08"], Flawed(declared={"disk_limit": True}))
    assert finding.status == Status.FAILED, finding


@pytest.mark.parametrize("case", ["S05", "S07"])
def test_system_calls_that_are_not_filtered_are_found(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def started_by_hand(spec: SandboxSpec, folder: Path) -> list[str]:
        return [word for word in words(spec, folder) if word != "--disable-userns"]

    words = bubblewrap.arguments
    assert check(BY_ID[case], Flawed()).status == Status.PASSED
    monkeypatch.setattr(bubblewrap, "arguments", started_by_hand)
    monkeypatch.setattr(seccomp, "program", lambda *given, **named: b"")
    assert check(BY_ID[case], Flawed()).status == Status.FAILED


def test_a_sandbox_that_does_not_go_on_is_found() -> None:
    def once(sandbox: Sandbox, command: str, act: Act) -> ExecResult:
        result = act()
        if command == "exit 124":
            sandbox.close()
        return result

    assert "SandboxDied" in failure("T10", bend=once)


def test_any_error_of_a_backend_is_a_finding() -> None:
    def raising(sandbox: Sandbox, command: str, act: Act) -> ExecResult:
        raise KeyError("State")

    assert failure(PLAIN, bend=raising) == "KeyError: 'State'"


def test_a_case_may_end_its_sandbox() -> None:
    def ended(sandbox: Sandbox, command: str, act: Act) -> ExecResult:
        if "kill -$s 1" in command:
            sandbox.close()
        return act()

    finding = check(BY_ID["T08"], Flawed(bend=ended))
    assert (finding.status, finding.detail) == (Status.PASSED, "the sandbox ended, and a fresh one works")


def test_what_is_not_declared_is_not_promised() -> None:
    flaw = Flawed(declared={"network_isolation": False, "memory_limit": "none"})
    found = {case: check(BY_ID[case], flaw) for case in ("N01", "R04", "R08")}
    assert {finding.status for finding in found.values()} == {Status.NOT_PROMISED}
    assert found["N01"].detail == "the backend declares no network_isolation"
    assert found["R04"].detail == "the backend declares no memory_limit"


def test_what_the_host_lacks_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_python(sandbox: Sandbox, command: str, act: Act) -> ExecResult:
        return act() if command != "command -v python3" else ExecResult(1, b"", b"", 0.0)

    finding = check(BY_ID["N05"], Flawed(bend=without_python))
    assert (finding.status, finding.detail) == (Status.CANNOT_RUN, "python3 is not on the PATH of the sandbox")

    def unavailable(self: Flawed) -> SandboxCapabilities:
        raise SandboxUnavailable("no daemon here", fix="start it")

    monkeypatch.setattr(Flawed, "capabilities", unavailable)
    assert check(PLAIN, Flawed()).status == Status.CANNOT_RUN
    assert check(PLAIN, Flawed()).detail == "no daemon here"


def test_a_root_file_system_that_is_not_there_is_the_callers_mistake() -> None:
    with pytest.raises(InputError, match="no-such-root"):
        check(PLAIN, Bubblewrap(), "no-such-root")


def test_a_sandbox_that_does_not_start_fails() -> None:
    def gone(spec: SandboxSpec) -> SandboxSpec:
        raise SandboxDied("it ended while it was started")

    finding = check(PLAIN, Flawed(respec=gone))
    assert (finding.status, finding.detail) == (Status.FAILED, "SandboxDied: it ended while it was started")


def test_findings_come_in_order_and_are_told_at_once() -> None:
    told: list[Finding] = []
    cases = (PLAIN, BY_ID["R08"])
    findings = check_all(Flawed(), cases, told.append)
    assert findings == told
    assert [each.case for each in findings] == list(cases)


def test_nothing_of_a_check_stays_in_the_process() -> None:
    before = (dict(os.environ), tempfile.tempdir, threading.active_count())
    check(PLAIN, Bubblewrap())
    assert TOKEN not in os.environ
    assert (dict(os.environ), tempfile.tempdir) == before[:2]
    assert threading.active_count() <= before[2] + 1


def test_scripted_sandbox_is_no_sandbox() -> None:
    assert check(PLAIN, ScriptedBackend()).status == Status.FAILED
