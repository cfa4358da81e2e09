"""What process 1 is told before its first command: the environment and the limits of every process inside."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from swesmith_gym.sandboxes import rootfs
from swesmith_gym.sandboxes.base import Limits, SandboxSpec

DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True, slots=True)
class Settings:
    """The same for every sandbox of a spec on one backend."""

    env: Mapping[str, str]
    """The whole environment of a command."""
    limits: Limits
    rlimits: Mapping[str, int]
    """Of each process: names of `RLIMIT_*` and values."""
    filter: bytes = b""
    """Of system calls, for process 1 to put on itself where the backend has not (`seccomp`)."""
    relay: tuple[str, int] | None = None
    """Where programs inside find the package index: the proxy's socket inside, and a port of their loopback."""

    @classmethod
    def of(
        cls,
        spec: SandboxSpec,
        *,
        ca_bundle: str = rootfs.CA_BUNDLE,
        processes: bool = True,
        memory: Literal["", "DATA"] = "",
        filter: bytes = b"",
    ) -> Settings:
        """`ca_bundle`: where certificates lie inside. `processes`: the sandbox's user is no other sandbox's, so that
        the kernel can count its processes. `memory`: what limits it where nothing limits the whole sandbox."""
        limits = spec.limits
        found = {"FSIZE": limits.file_bytes, "NOFILE": limits.open_files, "CORE": 0, "CPU": limits.cpu_seconds}
        if processes:
            found["NPROC"] = limits.processes
        if memory:
            found[memory] = limits.memory_bytes
        relay = (rootfs.INDEX_SOCKET, rootfs.INDEX_PORT) if spec.network == "index" else None
        return cls(_environment(spec, ca_bundle), limits, found, filter, relay)


def _environment(spec: SandboxSpec, ca_bundle: str) -> dict[str, str]:
    env = {
        "PATH": ":".join((*spec.path, DEFAULT_PATH)),
        "HOME": rootfs.HOME,
        "USER": rootfs.USER,
        "LOGNAME": rootfs.USER,
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SHELL": "/bin/bash",
        "TERM": "dumb",
    }
    if spec.network == "full":
        env |= {name: os.environ[name] for name in _PROXIES if name in os.environ}
    if spec.network == "index":
        from swesmith_gym.sandboxes import index_proxy  # loads asyncio

        env |= index_proxy.variables(spec.index_hosts)
    if spec.network != "none" and rootfs.ca_bundle():
        env |= dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), ca_bundle)
    return env | dict(spec.env)


def proxy_socket(spec: SandboxSpec) -> Path:
    """The socket of this process's proxy to the index of a spec, on the host. Raises: InputError, OSError."""
    from swesmith_gym.sandboxes import index_proxy  # loads asyncio

    return index_proxy.proxy_for(frozenset(spec.index_hosts)).socket
