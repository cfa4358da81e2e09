"""What code in a sandbox of the process backend cannot do, with limits, system calls, sockets, files and signals.

What needs Landlock says so: where the kernel has none, those are not promised.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import process_sandboxes
import pytest
from process_sandboxes import AS_ROOT, left_on_the_machine, out, peer

import swesmith_gym
from swesmith_gym.sandboxes.base import Mount, Sandbox
from swesmith_gym.sandboxes.process import landlock, user
from swesmith_gym.sandboxes.process.backend import Process

Start = Callable[..., Sandbox]
backend = process_sandboxes.backend
sandboxes = pytest.mark.sandbox
with_landlock = pytest.mark.skipif(not landlock.version(), reason="the kernel has no Landlock")


def python(sandbox: Sandbox, code: str) -> tuple[int | None, str]:
    result = sandbox.run("python3 -I -S -", stdin=code.encode(), timeout_s=20)
    return result.exit_code, (result.stdout + result.stderr).decode()


@sandboxes
@pytest.mark.skipif(not AS_ROOT, reason="an ordinary user has no other to run code as")
def test_user_and_rights(start: Start) -> None:
    sandbox = start()
    assert out(sandbox, "id -u; id -G") == f"{user.sandbox_uid()}\n{user.sandbox_uid()}\n"
    said = out(sandbox, "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status")
    lines = dict(line.split(":\t") for line in said.splitlines())
    assert {int(lines[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert (lines["NoNewPrivs"], lines["Seccomp"]) == ("1", "2")
    uids = Path(f"/proc/{peer(sandbox)}/status").read_text().split("Uid:")[1].split()[:4]
    assert set(uids) == {str(user.sandbox_uid())}


LIMITS = {
    "processes": "for i in $(seq 200); do sleep 30 & done 2>&1 | grep -q Resource && exit 9",
    "memory": "python3 -I -S -c 'x = bytearray(1 << 30)'",
    "size of a file": "head -c 40M /dev/zero > big",
    "open files": "ulimit -n 4096",
    "core": "ulimit -c 1",
    "CPU time": "while :; do :; done",
}


@sandboxes
@pytest.mark.parametrize("name", LIMITS)
def test_limits_hold(start: Start, name: str) -> None:
    sandbox = start(cpu_seconds=1) if name == "CPU time" else start()
    result = sandbox.run(LIMITS[name], timeout_s=20)
    assert result.exit_code not in (0, None), result
    assert out(sandbox, "echo on") == "on\n"


FAMILIES = {"AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16, "AF_PACKET": 17, "AF_ALG": 38, "AF_VSOCK": 40}


@sandboxes
def test_no_sockets_without_a_network(start: Start) -> None:
    code = (
        "import socket, errno\n"
        f"for family in {list(FAMILIES.values())}:\n"
        "  for kind in (1, 2, 3):\n"
        "    try: socket.socket(family, kind); print('made', family)\n"
        "    except OSError as error: assert error.errno == errno.EACCES, error\n"
        "s = socket.socket(socket.AF_UNIX); s.bind('named'); s.listen(); c = socket.socket(socket.AF_UNIX)\n"
        "c.connect('named'); s.accept()[0].sendall(b'hello'); print(c.recv(9), socket.socketpair()[0].family.name)\n"
    )
    assert python(start(), code) == (0, "b'hello' AF_UNIX\n")


@sandboxes
def test_network_full_reaches_the_host(start: Start) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        code = f"import socket\nsocket.create_connection({server.getsockname()!r})\nsocket.create_server(('', 0))"
        assert python(start(network="full"), code) == (0, "")


@sandboxes
@pytest.mark.skipif(landlock.version() < 4, reason="this Landlock does not limit ports")
def test_network_index_reaches_the_index_alone(start: Start, tmp_path: Path) -> None:
    (tmp_path / "package").write_text("content")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{server.server_port}"
        sandbox = start(network="index", index_hosts=(host,))
        said = python(
            sandbox, f"import urllib.request as r\nprint(r.urlopen('http://{host}/package', timeout=9).read())"
        )
        assert said == (0, "b'content'\n")
        for attempt in (
            f"create_connection(('127.0.0.1', {server.server_port}))",
            "create_server(('', 0))",
            "socket(2, 2)",
            "socket(10, 1)",
            "socket(2, 1, 262)",
            f"socket().sendto(b'x', 0x20000000, ('127.0.0.1', {server.server_port}))",
        ):
            code, said_of_it = python(sandbox, f"import socket\nsocket.{attempt}")
            assert (code, "PermissionError" in said_of_it) == (1, True), (attempt, said_of_it)
        sandbox.close()
        server.shutdown()
    assert left_on_the_machine() == []


@sandboxes
def test_system_calls_are_filtered(start: Start) -> None:
    code = (
        "import ctypes, errno\nc = ctypes.CDLL(None, use_errno=True)\n"
        "for call in (('unshare', 0x10000000), ('mount', 0, 0, 0, 0, 0), ('shmget', 1, 4096, 0o1600)):\n"
        "  assert getattr(c, call[0])(*call[1:]) == -1\n  print(errno.errorcode[ctypes.get_errno()])"
    )
    assert python(start(), code) == (0, "EPERM\nEPERM\nENOSYS\n")


@sandboxes
@pytest.mark.parametrize("way", ["run", "shell"])
def test_process_1_cannot_be_ended_from_inside(start: Start, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor what stands outside, though the kernel had no Landlock that limits signals."""
    monkeypatch.setattr(landlock, "version", lambda: 0)
    sandbox = start()
    act = sandbox.run if way == "run" else sandbox.shell().run
    pid = peer(sandbox)
    driver, guard = os.getpid(), sandbox._peer.guard  # type: ignore[attr-defined]
    for command in (
        f"for p in {pid} {guard} {driver}; do kill -9 $p; kill -STOP $p; kill -9 -$p; done; kill -9 -1",
        f"prlimit --pid {pid} --cpu=1; renice 19 {pid}; taskset -p 1 {pid}; chrt --idle -p 0 {pid}",
        f"cat /proc/{pid}/environ /proc/{pid}/mem; ls /proc/{pid}/fd/; echo 1000 > /proc/{pid}/oom_score_adj",
    ):
        result = act(command, timeout_s=20)
        assert result.exit_code not in (0, None)
    assert out(sandbox, "echo on") == "on\n"


@sandboxes
@with_landlock
def test_written_is_only_what_is_the_sandbox_s_own(start: Start, tmp_path: Path, state: Path) -> None:
    open_to_all = Path(f"/var/tmp/process-backend-{os.getpid()}")
    for folder in (open_to_all, tmp_path / "all"):
        folder.mkdir()
        folder.chmod(0o777)
    try:
        sandbox = start()
        for folder in (
            "/tmp",
            "/var/tmp",
            "/opt",
            "/",
            "/run/lock",
            open_to_all,
            tmp_path / "all",
            state,
            "/dev",
            "/sys",
        ):
            assert sandbox.run(f"echo x > {folder}/by-process-backend").exit_code == 1, folder
            assert sandbox.run(f"mkdir {folder}/by-process-backend").exit_code == 1, folder
            assert sandbox.run(f"ln -s x {folder}/by-process-backend").exit_code == 1, folder
        assert sandbox.run("for f in $TMPDIR/x ~/x /dev/shm/x$$ x /dev/null; do echo > $f || exit; done").exit_code == 0
        assert sandbox.run("rm /dev/shm/x*; mkdir d; touch e; mv e d/; ln d/e ~/e; mkfifo p").exit_code == 0
        assert list(open_to_all.iterdir()) == []
    finally:
        open_to_all.rmdir()


@sandboxes
@with_landlock
@pytest.mark.parametrize("everybody", [True, False], ids=["shown as a link", "shown as a copy"])
def test_what_is_covered_cannot_be_read(start: Start, backend: Process, tmp_path: Path, everybody: bool) -> None:
    folder = Path(f"/opt/process-backend-{os.getpid()}") if everybody else tmp_path / "shown"
    (folder / "thing").mkdir(parents=True)
    try:
        for path in (folder / "thing/a.py", folder / "other.py"):
            path.write_text("x = 1\n")
        covered = ("/opt/shown/thing", "/opt/shown/gone", "/usr/bin/env")
        sandbox = start(mounts=(Mount(folder, "/opt/shown"),), covered=covered)
        assert backend.capabilities().covers
        assert out(sandbox, "grep -rhs x /opt/shown/") == "x = 1\n"
        assert "Permission denied" in out(sandbox, "cat /opt/shown/thing/a.py")
        assert "Permission denied" in out(sandbox, "cat /usr/bin/env")
        assert "Permission denied" in out(sandbox, f"cat {folder}/thing/a.py")
    finally:
        if everybody:
            subprocess.run(["rm", "-r", folder], check=True)


@sandboxes
@with_landlock
def test_answers_and_secrets_cannot_be_read(start: Start, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the modes say: state folder, the driver's home and working folder, and the tables in this package."""
    places = [Path(f"/opt/{name}-{os.getpid()}") for name in ("state", "home", "work")]
    for folder in places:
        folder.mkdir()
        (folder / "file").write_text("secret")
    monkeypatch.setenv("SWESMITH_GYM_HOME", str(places[0]))
    monkeypatch.setenv("HOME", str(places[1]))
    monkeypatch.chdir(places[2])
    tables = list((Path(swesmith_gym.__file__).parent / "tasks_data").glob("*.parquet"))
    assert tables
    try:
        sandbox = start()
        for path in (*(folder / "file" for folder in places), *tables):
            assert "Permission denied" in out(sandbox, f"cat {path}")
        assert out(sandbox, "ls / | grep -c usr") == "1\n"
        assert python(sandbox, "import json, ctypes, sqlite3") == (0, "")
    finally:
        subprocess.run(["rm", "-r", *map(str, places)], check=True)


@sandboxes
@pytest.mark.skipif(landlock.version() < landlock.SCOPES_SINCE, reason="this Landlock does not limit signals")
def test_processes_outside_are_out_of_reach(start: Start) -> None:
    """Of the same user as well."""
    identity = {"user": user.sandbox_uid(), "group": user.sandbox_uid(), "extra_groups": []} if AS_ROOT else {}
    outside = subprocess.Popen(["/bin/sleep", "600"], **identity)
    try:
        with closing(socket.socket(socket.AF_UNIX)) as server:
            server.bind("")
            server.listen()
            name = server.getsockname().decode()
            sandbox = start()
            assert "not permitted" in out(sandbox, f"kill -9 {outside.pid}")
            assert "Permission denied" in out(sandbox, f"cat /proc/{outside.pid}/environ")
            assert "Operation not permitted" in python(sandbox, f"import socket\nsocket.socket(1).connect({name!r})")[1]
        assert outside.poll() is None
    finally:
        outside.send_signal(signal.SIGKILL)
        outside.wait()


@sandboxes
@pytest.mark.parametrize("version", range(landlock.version() + 1))
def test_older_kernels(start: Start, version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every version's rules are accepted. Without any, users and modes are what is left."""
    monkeypatch.setattr(landlock, "version", lambda: version)
    sandbox = start()
    assert out(sandbox, "mkdir d && echo on > $TMPDIR/f && cp $TMPDIR/f d && cat d/f") == "on\n"
    for folder in ("/opt", "/tmp") if version else ("/opt",):
        result = sandbox.run(f"echo > {folder}/by-process-backend && rm {folder}/by-process-backend")
        assert result.exit_code == (1 if version or AS_ROOT else 0)
