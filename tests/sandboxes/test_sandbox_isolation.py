"""What code inside cannot reach: the network, other processes, process 1, kernel corners, the host's files."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from swesmith_gym.sandboxes.base import Sandbox, SandboxBackend

pytestmark = pytest.mark.sandbox

PYTHON_NETWORK = {
    "tcp": "socket.create_connection(('1.1.1.1', 53), timeout=3)",
    "udp": "socket.socket(2, 2).sendto(b'x', ('1.1.1.1', 53))",
    "dns": "socket.getaddrinfo('example.com', 80)",
    "metadata": "socket.create_connection(('169.254.169.254', 80), timeout=3)",
    "tcp6": "socket.create_connection(('2606:4700:4700::1111', 53), timeout=3)",
}


def python(sandbox: Sandbox, code: str) -> tuple[int | None, str]:
    result = sandbox.run("python3 -I -S -", stdin=code.encode(), timeout_s=20)
    return result.exit_code, (result.stdout + result.stderr).decode()


@pytest.mark.parametrize("name", PYTHON_NETWORK)
def test_no_way_out(sandbox: Sandbox, name: str) -> None:
    code, said = python(sandbox, f"import socket\n{PYTHON_NETWORK[name]}")
    assert code == 1
    assert "rror: [Errno" in said


def test_own_network_works(sandbox: Sandbox) -> None:
    code, said = python(
        sandbox,
        "import socket, threading\n"
        "assert socket.gethostbyname(socket.gethostname()) == '127.0.0.1'\n"
        "s = socket.create_server(('127.0.0.1', 0))\n"
        "threading.Thread(target=lambda: s.accept()[0].sendall(b'hello')).start()\n"
        "print(socket.create_connection(s.getsockname()).recv(9))\n"
        "six = socket.create_server(('::1', 0), family=socket.AF_INET6)\n",
    )
    assert (code, said) == (0, "b'hello'\n")


@pytest.fixture
def abstract_name() -> Iterator[str]:
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind("")
        server.listen()
        yield server.getsockname().decode().removeprefix("\0")


def test_abstract_sockets_of_the_host(sandbox: Sandbox, abstract_name: str) -> None:
    code, said = python(sandbox, f"import socket\nsocket.socket(1).connect(chr(0) + {abstract_name!r})")
    assert code == 1
    assert "ConnectionRefused" in said


def test_network_full_reaches_the_host(start: Callable[..., Sandbox]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        sandbox = start(network="full")
        code, said = python(sandbox, f"import socket\nsocket.create_connection({server.getsockname()!r})")
        assert (code, said) == (0, "")
        assert sandbox.run("test -s /etc/resolv.conf; test ! -e $SSL_CERT_FILE/x; cat /etc/hosts").exit_code == 0


def test_no_rights(sandbox: Sandbox) -> None:
    result = sandbox.run("grep -E '^(Cap|NoNewPrivs|Seccomp:|Groups)' /proc/self/status; id -G")
    lines = dict(line.split(":", 1) for line in result.stdout.decode().splitlines() if ":" in line)
    assert {int(lines[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert (lines["NoNewPrivs"].strip(), lines["Seccomp"].strip()) == ("1", "2")
    assert result.stdout.decode().splitlines()[-1] == "1000"


REFUSED = {
    "mount": "mount -t tmpfs none /tmp",
    "bind mount": "mount --bind /usr /tmp",
    "umount": "umount /testbed",
    "user namespace": "unshare --user true",
    "network namespace": "unshare --net true",
    "kernel setting": "echo 1 > /proc/sys/kernel/panic",
    "own kernel setting": "echo 9999 > /proc/sys/user/max_user_namespaces",
    "sysrq": "echo b > /proc/sysrq-trigger",
    "device node": "mknod /tmp/sda b 8 0",
    "block device": "ls /dev/[shv]d[a-z] /dev/mem /dev/kmsg",
    "docker socket": "ls /var/run/docker.sock /run/docker.sock",
    "other user": "su -c true",
    "set-uid": "cp /bin/bash /tmp/b && chmod 4755 /tmp/b && chown 0 /tmp/b",
    "host's users": "grep -v -E '^(root|agent|nobody):' /etc/passwd",
    "shadow": "cat /etc/shadow",
    "root's home": "ls /root",
    "root file system": "touch /file /etc/file /usr/file /opt/file /run/file",
    "program of process 1": "touch /opt/sandbox/inside/main.py",
    "its environment": "cat /proc/1/environ",
    "its descriptors": "ls /proc/1/fd",
    "its memory": "head -c 1 /proc/1/mem",
    "its folder": "ls /proc/1/cwd/",
    "its limits": "prlimit --pid 1 --nofile=1",
    "its time": "prlimit --pid 1 --cpu=1",
    "its processors": "taskset -p 1 1",
    "its priority": "renice 19 1",
    "its scheduling": "chrt --idle -p 0 1",
    "its disk priority": "ionice -c 3 -p 1",
    "its priority for the memory killer": "echo 1000 > /proc/1/oom_score_adj",
    "own priority for the memory killer": "echo -1000 > /proc/self/oom_score_adj",
    "kernel log": "dmesg",
    "control groups": "ls /sys/fs/cgroup/memory",
    "clock": "date -s 2001-01-01",
    "reboot": "reboot -f",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(sandbox: Sandbox, name: str) -> None:
    result = sandbox.run(REFUSED[name], timeout_s=20)
    assert result.exit_code not in (0, None), result
    assert sandbox.run("echo on").stdout == b"on\n"


CALLS = {
    "keyctl": "250, 0, -3, 1",
    "add_key": "248, b'user', b'n', b'v', 1, -3",
    "bpf": "321, 0, 0, 0",
    "perf_event_open": "298, 0, 0, -1, -1, 0",
    "userfaultfd": "323, 0",
    "io_uring_setup": "425, 8, 0",
    "unshare": "272, 0x10000000",
    "clone3": "435, 0, 0",
    "open_by_handle_at": "304, -1, 0, 0",
    "ptrace of process 1": "101, 16, 1, 0, 0",
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


def test_separate_host_user(sandbox: Sandbox, backend: SandboxBackend, tmp_path: Path) -> None:
    if not backend.capabilities().separate_user:
        pytest.skip("the driver is an ordinary user")
    pid = sandbox._peer.pid  # type: ignore[attr-defined]
    assert os.stat(f"/proc/{pid}").st_uid in (0, 64738)  # not dumpable: root's
    uids = Path(f"/proc/{pid}/status").read_text().split("Uid:")[1].split()[:4]
    assert "0" not in uids


def test_processes_of_the_host_are_not_seen(sandbox: Sandbox) -> None:
    assert sandbox.run("set -- /proc/[0-9]*; echo $#").stdout == b"2\n"
    assert sandbox.run(f"kill -0 {os.getpid() + 100_000}").exit_code == 1
