"""What an episode finds around its work tree: names, network, processes, channels between processes."""

from __future__ import annotations

import os
import socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_OUTSIDE = (("1.1.1.1", 443), ("9.9.9.9", 53))
_TIMEOUT_S = 0.5


def facts() -> dict[str, Any]:
    """Everything that the host judges."""
    own = {str(os.getpid()), str(os.getppid()), "1"}
    return {
        "environment": dict(os.environ),
        "first_environment": _text("/proc/1/environ").replace("\0", "\n"),
        "host_name": socket.gethostname(),
        "command_lines": [_text(f"/proc/{n}/cmdline").replace("\0", " ") for n in ("1",)],
        "processes": [
            _text(f"/proc/{name}/cmdline").replace("\0", " ")
            for name in os.listdir("/proc")
            if name.isdigit() and name not in own
        ],
        "mounts": _text("/proc/self/mountinfo").splitlines(),
        "groups": _text("/proc/self/cgroup").splitlines(),
        "interfaces": [line.split(":")[0].strip() for line in _text("/proc/net/dev").splitlines()[2:]],
        "reached": _reached(),
        "channels": [
            f"{name}: {line}"
            for name in ("sysvipc/shm", "sysvipc/sem", "sysvipc/msg", "net/unix")
            for line in _text(f"/proc/{name}").splitlines()[1:]
        ],
        "keys": _text("/proc/keys").splitlines(),
        "home": os.path.expanduser("~"),
        "interpreter": sys.version.split()[0],
    }


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return ""


def _reached() -> list[str]:
    """Addresses outside that answer. In a sandbox without network there is no way to any of them."""
    found = []
    for address in _OUTSIDE:
        try:
            socket.create_connection(address, timeout=_TIMEOUT_S).close()
        except OSError:
            continue
        found.append(f"{address[0]}:{address[1]}")
    return found
