"""From start to close, and what is left when a driver, or a sandbox, ends in another way."""

from __future__ import annotations

import ast
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from swesmith_gym.errors import SandboxDied
from swesmith_gym.sandboxes import cgroups, inside, program, runs
from swesmith_gym.sandboxes.base import Sandbox, SandboxBackend, SandboxSpec

pytestmark = pytest.mark.sandbox
NAMESPACES = pytest.mark.parametrize("backend", ["bubblewrap"], indirect=True)
"""For what only bubblewrap has: a process of this host, a folder, control groups."""

Start = Callable[..., Sandbox]
GROUPS = cgroups.hierarchy()


def process_of(sandbox: Sandbox) -> int:
    pid: int = sandbox._peer.pid  # type: ignore[attr-defined]
    return pid


def left_over(state: Path) -> tuple[set[str], set[str], str, int]:
    """Episode folders, control groups, mounts and descriptors of this process."""
    folders = {path.name for path in (state / "run").glob("*")}
    groups = {path.name for path in GROUPS.memory.iterdir() if path.is_dir()} if GROUPS else set()
    return folders, groups, Path("/proc/self/mounts").read_text(), len(os.listdir("/proc/self/fd"))


def gone(pid: int, limit_s: float = 10.0) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], limit_s)[0])
    finally:
        os.close(handle)


@NAMESPACES
@pytest.mark.slow
def test_many_leave_nothing(backend: SandboxBackend, tree: Path, state: Path) -> None:
    spec = SandboxSpec(tree=tree, root_fs=backend.root_fs())
    backend.start(spec).close()
    before = left_over(state)
    pids = []
    for turn in range(200):
        sandbox = backend.start(spec)
        pids.append(process_of(sandbox))
        if turn % 10 == 0:
            sandbox.shell().run("mkdir -p a/b; rm run.sh; chmod 000 a/b a; setsid sleep 600 &")
        sandbox.close()
    assert all(gone(pid) for pid in pids)
    folders, groups, mounts, descriptors = left_over(state)
    mine = groups - before[1]  # others on this machine may run sandboxes at the same time
    assert not mine & {path.name for path in (state / "run").glob("*")}
    assert (folders, mounts, descriptors) == (before[0], before[2], before[3])


@NAMESPACES
def test_group_goes_with_the_sandbox(sandbox: Sandbox) -> None:
    if GROUPS is None:
        pytest.skip("no control groups here")
    name = sandbox._peer.folder.name  # type: ignore[attr-defined]
    assert str(process_of(sandbox)) in (GROUPS.memory / name / "cgroup.procs").read_text().split()
    sandbox.close()
    assert not (GROUPS.memory / name).exists()
    assert not (GROUPS.pids / name).exists()


@NAMESPACES
def test_killed_from_outside(start: Start) -> None:
    sandbox = start()
    os.kill(process_of(sandbox), signal.SIGKILL)
    assert gone(process_of(sandbox))
    with pytest.raises(SandboxDied):
        sandbox.run("true")
    assert not sandbox.alive
    with pytest.raises(SandboxDied):
        sandbox.run("true")


@NAMESPACES
def test_killed_during_a_command(start: Start) -> None:
    sandbox = start()
    killer = threading.Timer(0.5, os.kill, (process_of(sandbox), signal.SIGKILL))
    killer.start()
    with pytest.raises(SandboxDied):
        sandbox.run("sleep 60")
    killer.join()


def test_closed_during_a_command(start: Start) -> None:
    sandbox = start()
    closer = threading.Timer(0.5, sandbox.close)
    closer.start()
    with pytest.raises(SandboxDied):
        sandbox.shell().run("sleep 60")
    closer.join()
    assert not sandbox.alive


@NAMESPACES
def test_interrupted_call_leaves_no_answer_behind(start: Start) -> None:
    sandbox = start()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            sandbox.run("sleep 60; echo first")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(SandboxDied):
        sandbox.run("echo second")
    assert gone(process_of(sandbox))


@NAMESPACES
def test_process_1_that_hangs(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = start()
    monkeypatch.setattr("swesmith_gym.sandboxes.client.GRACE_S", 0.5)
    os.kill(process_of(sandbox), signal.SIGSTOP)
    with pytest.raises(SandboxDied, match="does not answer"):
        sandbox.run("true", timeout_s=0.5)
    assert gone(process_of(sandbox))


DRIVER = """
import os, sys
from pathlib import Path
from swesmith_gym.sandboxes.base import SandboxSpec
from swesmith_gym.sandboxes.registry import backend
sandbox = backend("{name}").start(SandboxSpec(tree=Path("{tree}")))
sandbox.shell().run("setsid sleep 600 & disown")
print(sandbox._peer.pid, flush=True)
{then}
"""


@NAMESPACES
@pytest.mark.parametrize("then", ["sandbox.run('sleep 600', timeout_s=600)", "os.read(0, 1)"], ids=["busy", "idle"])
def test_driver_that_dies(backend: SandboxBackend, tree: Path, state: Path, then: str) -> None:
    before = set((state / "run").glob("*"))
    code = DRIVER.format(name=backend.name, tree=tree, then=then)
    driver = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert driver.stdout is not None
    pid = int(driver.stdout.readline())
    driver.kill()
    driver.communicate()
    assert gone(pid)
    assert set((state / "run").glob("*")) - before
    fresh = f"backend('{backend.name}').start(SandboxSpec(tree=Path('{tree}'))).close()"
    lines = DRIVER.splitlines()[1:5]
    subprocess.run([sys.executable, "-c", "\n".join([*lines, fresh])], check=True)
    assert not set((state / "run").glob("*")) - before


def test_forked_driver(start: Start) -> None:
    sandbox = start()
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    assert sandbox.run("echo on").stdout == b"on\n"


@NAMESPACES
def test_without_an_interpreter_in_usr(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "SYSTEM", Path("/no/such/python3"))
    program.interpreter.cache_clear()
    try:
        sandbox = start()
        assert sandbox.run("echo on; echo $LD_LIBRARY_PATH; ls /opt").stdout == b"on\n\nsandbox\nsandbox-python\n"
        assert set(sandbox.manifest()) == {"link", "pkg/code.py", "run.sh"}
    finally:
        program.interpreter.cache_clear()


@pytest.mark.parametrize("path", sorted(Path(inside.__file__).parent.glob("*.py")), ids=lambda path: path.name)
def test_program_of_process_1_is_for_old_interpreters(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 8))


def test_descriptors_beyond_1024(start: Start) -> None:
    start()
    taken = [os.open("/dev/null", os.O_RDONLY) for _ in range(1100)]
    try:
        sandbox = start()
        assert sandbox.run("cat", stdin=b"on").stdout == b"on"
        assert sandbox.shell().run("echo on").stdout == b"on\n"
        sandbox.close()
    finally:
        for descriptor in taken:
            os.close(descriptor)


@NAMESPACES
def test_command_that_cannot_be_started(start: Start, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start()
    before = left_over(state)
    monkeypatch.setattr("swesmith_gym.sandboxes.bubblewrap._prefix", lambda: ["/no/such/program"])
    with pytest.raises(FileNotFoundError):
        start()
    assert (left_over(state)[0], left_over(state)[3]) == (before[0], before[3])


def test_stale_folders(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWESMITH_GYM_HOME", str(tmp_path))
    runs.make_run(os.getuid())
    theirs, begun, broken = (runs.make_run(os.getuid()) for _ in range(3))
    (theirs / "owner").write_text(f"{os.getpid()} 12345")
    (begun / "owner").unlink()
    (broken / "owner").unlink()
    os.utime(broken, (0, 0))
    assert set(runs.stale_runs()) == {theirs, broken}


def test_many_at_once_from_threads(backend: SandboxBackend, tree: Path) -> None:
    found: list[bytes] = []

    def play(number: int) -> None:
        with backend.start(SandboxSpec(tree=tree, root_fs=backend.root_fs())) as sandbox:
            sandbox.shell().run(f"echo {number} > mine")
            found.append(sandbox.run("cat mine").stdout)

    threads = [threading.Thread(target=play, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [b"%d\n" % number for number in range(8)]


def test_backend_and_spec_pickle(backend: SandboxBackend, tree: Path) -> None:
    spec = SandboxSpec(tree=tree, root_fs=backend.root_fs())
    again, spec_again = pickle.loads(pickle.dumps((backend, spec)))
    with again.start(spec_again) as sandbox:
        assert sandbox.run("cat run.sh").stdout == b"echo hello\n"


def test_missing_tree_is_named(backend: SandboxBackend, tmp_path: Path, state: Path) -> None:
    before = left_over(state)[0]
    with pytest.raises(FileNotFoundError, match="no-such-tree"):
        backend.start(SandboxSpec(tree=tmp_path / "no-such-tree", root_fs=backend.root_fs()))
    assert left_over(state)[0] == before


@NAMESPACES
def test_start_that_fails_says_why(backend: SandboxBackend, tree: Path, state: Path) -> None:
    before = left_over(state)
    with pytest.raises(SandboxDied, match="etc"):
        backend.start(SandboxSpec(tree=tree, root_fs=backend.root_fs(), links={"/etc/passwd": "/tmp"}))
    assert (left_over(state)[0], left_over(state)[3]) == (before[0], before[3])


def test_close_is_quick_under_load(start: Start) -> None:
    sandbox = start(processes=64)
    sandbox.shell().run("for i in $(seq 50); do (while :; do :; done) & done")
    began = time.monotonic()
    sandbox.close()
    assert time.monotonic() - began < 5
