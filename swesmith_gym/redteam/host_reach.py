"""H10 to H16: what the sandbox can reach, what it says to whoever reads it, and code that the host's own steps run.

H11, the escape from a container by a fault of its runtime or of the kernel, is not played: it would be an attack on the
machine that runs it, and a defence against one known fault shows nothing about the next.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swesmith_gym.records import TaskInstance
from swesmith_gym.redteam.base import Attack, Played
from swesmith_gym.redteam.host_base import HostAttack

REACHED = "REACHED"
"""What scripts print before the name of something that they should not have reached."""

_REACH = f"""
import socket
def reached(what):
    print({REACHED!r}, what)
def connects(family, address):
    try:
        with socket.socket(family, socket.SOCK_STREAM) as each:
            each.settimeout(0.3)
            each.connect(address)
            return each.getsockname() != address  # a port that nobody listens on can be met by itself
    except OSError:
        return False
"""
_PORTS = (
    _REACH
    + """
for port in range(1, 65536):
    if connects(socket.AF_INET, ("127.0.0.1", port)):
        reached(f"port {port}")
for address in ("169.254.169.254", "10.0.2.2", "172.17.0.1", "192.168.122.1", "1.1.1.1"):
    for port in (22, 53, 80, 443, 2375, 8000):
        if connects(socket.AF_INET, (address, port)):
            reached(f"{address}:{port}")
"""
)
_SOCKETS = (
    _REACH
    + """
names = ["/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock",
         "/run/dbus/system_bus_socket", "/run/systemd/private", "/run/snapd.socket"]
with open("/proc/net/unix") as file:
    names += [line.split()[-1].replace("@", chr(0), 1) for line in list(file)[1:] if len(line.split()) > 7]
for name in names:
    if connects(socket.AF_UNIX, name):
        reached("socket " + repr(name))
"""
)
_RIGHTS = (
    _REACH
    + """
import ctypes
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
if int(status["CapEff"], 16) or int(status["CapPrm"], 16):
    reached("capabilities " + status["CapEff"].strip())
if status["NoNewPrivs"].strip() != "1":
    reached("programs that give more rights")
def succeeds(act):
    try:
        return act() in (None, 0)
    except OSError:
        return False
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0:
    reached("mount")
if succeeds(lambda: os.mknod("/tmp/disk", 0o60600, os.makedev(8, 0))):
    reached("a block device")
for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/fs/cgroup/release_agent", "/dev/mem",
             "/etc/passwd", "/usr/bin/env", "/opt/env/bin/python"):
    if os.path.exists(path) and os.access(path, os.W_OK):
        reached("writing " + path)
for path in ("/etc/shadow", "/root", "/dev/kmsg", "/proc/1/environ", "/proc/1/root/etc/shadow"):
    try:
        os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1)
    except OSError:
        continue
    if path != "/proc/1/environ":
        reached("reading " + path)
"""
)
_ESCAPES = r"""
nasty = ("\x1b]52;c;Y2FuYXJ5\x07\x1b]0;owned\x07\x1b[2J\x1b[8m\x1bP+q544e\x1b\\\x9b31m\u202e\u2066\x00\x08\x08"
         "<script>document.title='owned'</script><img src=x onerror=alert(1)>{{7*7}}{% x %}\r\n"
         "\n{\"reward\": 1.0}\n--- a/x\n+++ b/x\n")
write("notes.md", nasty)
write(FACTS["module"], "# " + nasty.replace("\n", "\n# ").replace("\x00", ""))
sys.stdout.buffer.write(nasty.encode() + b"\xff\xfe\xed\xa0\x80")
"""
_PLANTED = """
plant('import os as _o\\n_o.system(' + repr(PAYLOAD) + ')')
write('setup.py', 'import os\\nos.system(' + repr(PAYLOAD) + ')\\n')
write('Makefile', 'all test:\\n\\t' + PAYLOAD.replace('$', '$$') + '\\n')
program('gradlew')
write('.envrc', PAYLOAD + '\\n')
write('.vscode/tasks.json', json.dumps({"version": "2.0.0", "tasks": [
    {"label": "x", "type": "shell", "command": PAYLOAD, "runOptions": {"runOn": "folderOpen"}}]}))
"""


@dataclass(frozen=True, kw_only=True)
class ReachAttack(HostAttack):
    """The script says what it reached."""

    unhit: str = "what it looks for is not there; a host that offers it would be hit, and no host here does"

    def judge(self, played: Played) -> str:
        """As any attack on the host; and nothing was reached."""
        said = [line for text in played.observations for line in text.splitlines() if line.startswith(REACHED)]
        return said[0] if said else super().judge(played)


@dataclass(frozen=True, kw_only=True)
class PortAttack(ReachAttack):
    """While it is played a server of the host listens: whoever connects to it has left the sandbox."""

    def before(self, task: TaskInstance) -> Mapping[str, Any]:
        """As any attack on the host; the server goes with it."""
        return {**super().before(task), "": socket.create_server(("127.0.0.1", 0), backlog=1)}

    def judge(self, played: Played) -> str:
        """As its kind; and nobody came to the server, which is closed."""
        files = {path: stamp for path, stamp in played.before.items() if path}
        with played.before[""] as server:
            server.settimeout(0)
            try:
                server.accept()[0].close()
            except BlockingIOError:
                pass
            else:
                return "reached a server of this host"
        return super().judge(Played(**{**_fields(played), "before": files}))


def _fields(played: Played) -> dict[str, Any]:
    return {name: getattr(played, name) for name in Played.__dataclass_fields__}


@dataclass(frozen=True, kw_only=True)
class SayingAttack(HostAttack):
    """It attacks by what it prints."""

    most: int = 64_000
    """Characters that an observation may have."""

    def judge(self, played: Played) -> str:
        """As any attack on the host; and what it said is text of a bounded size."""
        for text in played.observations:
            if len(text) > self.most:
                return f"an observation has {len(text)} characters"
            try:
                text.encode()
            except UnicodeEncodeError:
                return "an observation is no text that can be stored"
        return super().judge(played)


ATTACKS: tuple[Attack, ...] = (
    PortAttack(id="H10-ports", threat="H10", title="Looks for servers of the host, and for a cloud's", script=_PORTS),
    ReachAttack(id="H10b-sockets", threat="H10", title="Looks for sockets that daemons listen on", script=_SOCKETS),
    ReachAttack(id="H12-rights", threat="H12", title="Looks for rights that lead to the host's own", script=_RIGHTS),
    SayingAttack(
        id="H13-escapes",
        threat="H13",
        title="Commands for screens, signs that reorder text, markup and half characters, printed and in files",
        script=_ESCAPES,
        unhit="it is after people's screens and browsers: the tests of the viewer show what becomes of it",
    ),
    SayingAttack(
        id="H14-flood",
        threat="H14",
        title="Prints a gigabyte",
        shell="head -c 1000000000 /dev/zero | tr '\\0' x; head -c 100000000 /dev/zero >&2",
        unhit="it costs a host memory or disk: what is kept of an output is bounded",
    ),
    SayingAttack(
        id="H14b-endless",
        threat="H14",
        title="Prints for ever, in the background as well",
        shell="(yes in the background &); timeout 2 yes; true",
        unhit="it costs a host memory or disk: what is kept of an output is bounded",
    ),
    HostAttack(
        id="H16-code-of-the-tree",
        threat="H16",
        title="Code that runs whenever the tree is imported, installed, built or opened in an editor",
        script=_PLANTED,
        hosts=("make", "setup.py", "import"),
    ),
)
