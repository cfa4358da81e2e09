"""What code inside cannot reach, beyond the cases of the conformance suite: process 1, kernel corners, host files."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import closing

import pytest

from swesmith_gym.sandboxes.base import Sandbox

pytestmark = pytest.mark.sandbox


def python(sandbox: Sandbox, code: str) -> tuple[int | None, str]:
    result = sandbox.run("python3 -I -S -", stdin=code.encode(), timeout_s=20)
    return result.exit_code, (result.stdout + result.stderr).decode()


def test_own_network_has_both_loopbacks(sandbox: Sandbox) -> None:
    for address, family in (("127.0.0.1", "AF_INET"), ("::1", "AF_INET6")):
        code = f"import socket\nsocket.create_server(({address!r}, 0), family=socket.{family})"
        assert python(sandbox, code) == (0, "")


@pytest.mark.parametrize("backend", ["bubblewrap"], indirect=True)
def test_network_full_reaches_the_host(start: Callable[..., Sandbox]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        sandbox = start(network="full")
        code, said = python(sandbox, f"import socket\nsocket.create_connection({server.getsockname()!r})")
        assert (code, said) == (0, "")
        assert sandbox.run("test -s /etc/resolv.conf; test ! -e $SSL_CERT_FILE/x; cat /etc/hosts").exit_code == 0


def test_calls_are_filtered(sandbox: Sandbox) -> None:
    assert sandbox.run("grep ^Seccomp: /proc/self/status").stdout.split() == [b"Seccomp:", b"2"]


REFUSED = {
    "host's users": "grep -v -E '^(root|agent|nobody):' /etc/passwd",
    "shadow": "cat /etc/shadow",
    "root's home": "ls /root",
    "root file system": "touch /file /etc/file /usr/file /opt/file /run/file",
    "program of process 1": "touch /opt/sandbox/inside/main.py",
    "its limits": "prlimit --pid 1 --nofile=1",
    "its time": "prlimit --pid 1 --cpu=1",
    "its processors": "taskset -p 1 1",
    "its priority": "renice 19 1",
    "its scheduling": "chrt --idle -p 0 1",
    "its disk priority": "ionice -c 3 -p 1",
    "its priority for the memory killer": "echo 1000 > /proc/1/oom_score_adj",
    "own priority for the memory killer": "echo -1000 > /proc/self/oom_score_adj",
    "kernel log": "dmesg",
    "control groups": "mkdir /sys/fs/cgroup/memory/mine",
    "clock": "date -s 2001-01-01",
    "reboot": "reboot -f",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(sandbox: Sandbox, name: str) -> None:
    result = sandbox.run(REFUSED[name], timeout_s=20)
    assert result.exit_code not in (0, None), result
    assert sandbox.run("echo on").stdout == b"on\n"


CALLS = {
    "perf_event_open": "298, 0, 0, -1, -1, 0",
    "userfaultfd": "323, 0",
    "io_uring_setup": "425, 8, 0",
    "clone3": "435, 0, 0",
    "open_by_handle_at": "304, -1, 0, 0",
    "process_vm_readv": "310, 1, 0, 0, 0, 0, 0",
}


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="call numbers of x86-64")
@pytest.mark.parametrize("name", CALLS)
def test_system_calls_refused(sandbox: Sandbox, name: str) -> None:
    code = (
        "import ctypes, errno\nc = ctypes.CDLL(None, use_errno=True)\n"
        f"r = c.syscall({CALLS[name]})\nprint(r, errno.errorcode.get(ctypes.get_errno()))"
    )
    expected = ("-1 EPERM\n", "-1 ENOSYS\n") if name != "process_vm_readv" else ("0 None\n", "-1 EPERM\n")
    assert python(sandbox, code)[1] in expected


def test_no_descriptor_is_inherited(sandbox: Sandbox) -> None:
    look = "python3 -I -S -c 'import os; print(*sorted(os.listdir(\"/proc/self/fd\"), key=int))'"
    for act in (sandbox.run, sandbox.shell().run):
        for command in (look, f"{look} # {'long' * 50_000}"):
            assert act(command).stdout == b"0 1 2 3\n"  # the last one is the listing's own


def test_own_processes_can_be_debugged(sandbox: Sandbox) -> None:
    code = (
        "import ctypes, os, time\nc = ctypes.CDLL(None)\npid = os.fork()\n"
        "if not pid:\n  time.sleep(30)\nprint(c.ptrace(16, pid, 0, 0))"
    )
    assert python(sandbox, code) == (0, "0\n")
