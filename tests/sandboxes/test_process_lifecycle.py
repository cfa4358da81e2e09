"""The process backend: one sandbox at a time, and nothing that outlives it, however it or its driver ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import process_sandboxes
import pytest
from process_sandboxes import AS_ROOT, gone, left_on_the_machine, out, peer

from swesmith_gym.errors import SandboxDied, SandboxUnavailable
from swesmith_gym.sandboxes.base import Sandbox
from swesmith_gym.sandboxes.process import turn
from swesmith_gym.sandboxes.process.places import home_inside

pytestmark = pytest.mark.sandbox

Start = Callable[..., Sandbox]
backend = process_sandboxes.backend


def test_second_start_says_who_has_the_turn(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    first = start()
    monkeypatch.setattr(turn, "WAIT_S", 0.3)
    with pytest.raises(SandboxDied, match=rf"process {os.getpid()} has had one open"):
        start()
    assert out(first, "echo on") == "on\n"


def test_second_start_waits(start: Start) -> None:
    first = start()
    closer = threading.Timer(0.5, first.close)
    closer.start()
    assert out(start(), "echo on") == "on\n"
    closer.join()


def test_sandbox_that_died_gives_its_turn_away(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "WAIT_S", 5.0)
    first = start()
    os.kill(peer(first), signal.SIGKILL)
    with pytest.raises(SandboxDied):
        first.run("true")
    assert out(start(), "echo on") == "on\n"
    first.close()


def test_nothing_outlives_close(start: Start) -> None:
    sandbox = start()
    sandbox.shell().run(
        "go() { echo $BASHPID >> ~/pids; exec sleep 611; }; export -f go; (setsid bash -c go &); trap '' TERM; go & "
        "nohup setsid bash -c go & disown -a; until [ $(wc -l < ~/pids) = 3 ]; do :; done; kill -STOP $(cat ~/pids)"
    )
    pids = [int(pid) for pid in sandbox.read_file(f"{home_inside()}/pids").split()]
    assert not any(gone(pid, 0) for pid in pids)
    sandbox.close()
    assert all(gone(pid) for pid in (*pids, peer(sandbox)))
    assert left_on_the_machine() == []


def test_nothing_outlives_a_time_limit(start: Start) -> None:
    sandbox = start()
    assert sandbox.run("(setsid sleep 612 &); f() { f | f & }; f; sleep 60", timeout_s=1).timed_out
    assert out(sandbox, "pgrep -u $(id -u) -fx 'sleep 61[2]'; echo end") == "end\n"


def test_files_that_all_share_go_with_the_sandbox(start: Start) -> None:
    name = f"/dev/shm/process-backend-{os.getpid()}"
    with start() as sandbox:
        assert sandbox.run(f"mkdir {name}; echo > {name}/file; chmod 0 {name}").exit_code == 0
    assert os.path.exists(name) != AS_ROOT
    if not AS_ROOT:
        os.chmod(name, 0o700)
        subprocess.run(["rm", "-r", name], check=True)


DRIVER = """
import os, sys
from pathlib import Path
from swesmith_gym.sandboxes.base import SandboxSpec
from swesmith_gym.sandboxes.process.backend import Process
sandbox = Process().start(SandboxSpec(tree=Path(sys.argv[1])))
sandbox.shell().run("(setsid sleep 613 &)")
command = "until pgrep -u $(id -u) -fx 'sleep 61[3]'; do :; done"
{first}
print(sandbox._peer.pid, *sandbox.run(command).stdout.decode().split(), flush=True)
{then}
"""
WAYS = {
    "busy": ("", "sandbox.run('sleep 614', timeout_s=600)"),
    "idle": ("", "os.read(0, 1)"),
    "forked": ("os.fork() or os._exit(os.read(0, 1) == 1)", "os.read(0, 1)"),
}
"""What a driver does before it says what it has started, and after."""


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
@pytest.mark.parametrize("way", WAYS)
def test_driver_that_is_killed(start: Start, tree: Path, way: str, stopped: bool) -> None:
    """Whatever process 1 does, though a process that the driver forked holds its pipes. The next start clears up."""
    code = DRIVER.format(first=WAYS[way][0], then=WAYS[way][1])
    driver = subprocess.Popen([sys.executable, "-c", code, str(tree)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert driver.stdout is not None
    pids = [int(pid) for pid in driver.stdout.readline().split()]
    assert len(pids) >= 2
    if way == "busy":
        subprocess.run(["bash", "-c", "until pgrep -fx 'sleep 61[4]'; do :; done"], timeout=20, check=True)
    if stopped:
        os.kill(pids[0], signal.SIGSTOP)
    driver.kill()
    driver.wait()
    assert all(gone(pid) for pid in pids)
    driver.communicate()
    assert os.path.exists("/testbed")
    with start() as sandbox:
        assert out(sandbox, "ls") == "link\npkg\nrun.sh\n"
    assert left_on_the_machine() == []


def test_record_that_is_damaged(start: Start) -> None:
    start().close()
    turn.FILE.write_text("{")
    try:
        with pytest.raises(SandboxUnavailable, match="damaged"):
            start()
    finally:
        turn.FILE.unlink(missing_ok=True)
