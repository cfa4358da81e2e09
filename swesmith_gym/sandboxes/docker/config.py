"""How a container is confined: from a spec to the configuration that the daemon takes.

No capability, no new privileges, the default system call filter, a user without rights, a read-only root, folders in
memory of limited size, one limit for memory and swap together, private IPC, no log. Process 1 of `sandboxes.inside`
is the init: it reaps, and it ends with its driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from swesmith_gym.sandboxes import program, rootfs
from swesmith_gym.sandboxes.base import WORKDIR, Limits, SandboxSpec
from swesmith_gym.sandboxes.settings import proxy_socket

UID = 1000
SLACK = 16
"""Processes beside those of commands: process 1, and those that are being taken apart."""


def container(
    spec: SandboxSpec,
    image: str,
    python: str,
    volumes: Mapping[str, str],
    labels: Mapping[str, str],
    *,
    owned: bool = True,
) -> dict[str, Any]:
    """`volumes`: path inside -> the volume's name. `python`: what runs process 1, in the image. `owned`: the engine can
    give folders in memory to the sandbox's user; else they are open to every user inside."""
    return {
        "Image": image,
        "User": f"{UID}:{UID}",
        "Hostname": rootfs.HOST_NAME,
        "WorkingDir": "/",
        "Entrypoint": [python, *program.ARGUMENTS],
        "Cmd": [],
        "Env": [],
        "Labels": dict(labels),
        "OpenStdin": True,
        "StdinOnce": True,
        "StopSignal": "SIGKILL",  # process 1 takes no other from outside
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "NetworkDisabled": False,
        "HostConfig": _host(spec, volumes, owned=owned),
    }


def _host(spec: SandboxSpec, volumes: Mapping[str, str], *, owned: bool) -> dict[str, Any]:
    limits = spec.limits
    return {
        "AutoRemove": True,
        "NetworkMode": "bridge" if spec.network == "full" else "none",
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "ReadonlyRootfs": True,
        "Tmpfs": _memory_folders(limits, volumes, owned=owned),
        "ShmSize": size(limits),
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes,
        "PidsLimit": limits.processes + SLACK,
        "IpcMode": "private",
        "LogConfig": {"Type": "none", "Config": {}},
        "ExtraHosts": [f"{rootfs.HOST_NAME}:127.0.0.1"],
        "Sysctls": {"net.ipv6.conf.lo.disable_ipv6": "0"},
        "Mounts": [*_volumes(volumes), *_sockets(spec)],
    }


def _volumes(volumes: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"Type": "volume", "Source": name, "Target": path, "ReadOnly": False} for path, name in volumes.items()]


def _sockets(spec: SandboxSpec) -> list[dict[str, Any]]:
    """The one thing of the host that is ever shown: the socket of the proxy to the package index, for builds."""
    if spec.network != "index":
        return []
    return [{"Type": "bind", "Source": str(proxy_socket(spec)), "Target": rootfs.INDEX_SOCKET, "ReadOnly": True}]


def size(limits: Limits) -> int:
    """Of each private folder in memory: together below the memory limit, so that filling them leaves room to go on."""
    return max(min(limits.tmp_bytes, limits.memory_bytes // 4), 1 << 20)


def _memory_folders(limits: Limits, volumes: Mapping[str, str], *, owned: bool) -> dict[str, str]:
    common = "rw,exec,nosuid,nodev"
    mine = f"mode=755,uid={UID},gid={UID}" if owned else "mode=1777"
    found = {
        "/tmp": f"{common},mode=1777,size={size(limits)}",
        rootfs.HOME: f"{common},{mine},size={size(limits)}",
        WORKDIR: f"{common},{mine},size={min(limits.tree_bytes, limits.memory_bytes // 2)}",
    }
    return {path: options for path, options in found.items() if path not in volumes}
