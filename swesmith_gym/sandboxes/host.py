"""Facts about this host for `doctor`: what bubblewrap needs, and the command that provides what is missing.

Each check is one fact, cheap but for the last, which starts a sandbox and so is the proof. `proc` can be another folder
than `/proc` for tests.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from pathlib import Path

from swesmith_gym.errors import SandboxError
from swesmith_gym.home import home
from swesmith_gym.sandboxes import cgroups, staging
from swesmith_gym.sandboxes.base import HostCheck, SandboxBackend, SandboxSpec
from swesmith_gym.sandboxes.binary import find_bwrap, version_of

LOW_DISK_BYTES = 5 << 30
PROC = Path("/proc")
_IN_CONTAINER = (
    "--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined"
)
_IN_POD = (
    "securityContext: {procMount: Unmasked, seccompProfile: {type: Unconfined}, appArmorProfile: {type: Unconfined}} "
    "with hostUsers: false, or securityContext: {privileged: true}"
)


def bubblewrap_checks(backend: SandboxBackend) -> list[HostCheck]:
    """Every fact, the trial last. Never raises for what a host may lack."""
    found = [_platform(), _bwrap(), *kernel_checks(PROC), _tool("bash"), _tool("git"), _disk(), _groups()]
    return [*found, _trial(backend)]


def kernel_checks(proc: Path) -> list[HostCheck]:
    """The kernel's switches that keep ordinary users from making namespaces."""
    return [_limit(proc), _switch(proc), _apparmor(proc)]


def _limit(proc: Path) -> HostCheck:
    name = "user namespaces"
    value = _number(proc / "sys/user/max_user_namespaces")
    if value is None:
        return HostCheck(name, False, "the kernel has none (CONFIG_USER_NS)", "use a kernel that has user namespaces")
    fix = "" if value else "sudo sysctl -w user.max_user_namespaces=15000"
    return HostCheck(name, value > 0, f"user.max_user_namespaces is {value}", fix)


def _switch(proc: Path) -> HostCheck:
    value = _number(proc / "sys/kernel/unprivileged_userns_clone")
    off = value == 0 and os.geteuid() != 0
    detail = "off for ordinary users" if value == 0 else "not restricted"
    fix = "sudo sysctl -w kernel.unprivileged_userns_clone=1" if off else ""
    return HostCheck("unprivileged user namespaces", not off, detail, fix)


def _apparmor(proc: Path) -> HostCheck:
    """Ubuntu from 23.10 on lets only programs with a profile of their own make user namespaces with rights in them."""
    restricted = _number(proc / "sys/kernel/apparmor_restrict_unprivileged_userns") == 1
    detail = "unprivileged user namespaces have no rights" if restricted else "no restriction"
    fix = "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" if restricted else ""
    return HostCheck("apparmor", not restricted, detail, fix)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _platform() -> HostCheck:
    name, machine = platform.system(), platform.machine()
    ok = name == "Linux" and machine in ("x86_64", "aarch64")
    return HostCheck("platform", ok, f"{name} {machine}, kernel {platform.release()}", "" if ok else "use Linux")


def _bwrap() -> HostCheck:
    try:
        path = find_bwrap()
    except SandboxError as error:
        return HostCheck("bwrap", False, str(error), getattr(error, "fix", ""))
    return HostCheck("bwrap", True, f"version {'.'.join(map(str, version_of(path)))} at {path}")


def _tool(name: str) -> HostCheck:
    """Sandboxes show the host's `/usr`, so that a program counts only there."""
    path = shutil.which(name, path="/usr/local/bin:/usr/bin:/bin")
    return HostCheck(name, path is not None, path or "not found in /usr", "" if path else f"apt-get install {name}")


def _disk() -> HostCheck:
    folder = home()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    ok = free >= LOW_DISK_BYTES
    fix = "" if ok else "export SWESMITH_GYM_HOME=FOLDER_ON_A_LARGER_DISK"
    return HostCheck("disk", ok, f"{free / (1 << 30):.0f} GiB free for {home()}", fix)


def _groups() -> HostCheck:
    """Not a failure: without control groups the memory limit holds for each process only."""
    found = cgroups.hierarchy()
    if found:
        return HostCheck(
            "control groups", True, f"version {found.version}: memory and processes are limited per sandbox"
        )
    return HostCheck(
        "control groups",
        True,
        "not granted: memory is limited per process",
        "systemd-run --user --scope -p Delegate=yes swesmith-gym doctor",
    )


def _trial(backend: SandboxBackend) -> HostCheck:
    name = "sandbox"
    try:
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / "tree"
            tree.mkdir(mode=0o755)
            backend.own(tree)
            with backend.start(SandboxSpec(tree=tree, root_fs=backend.root_fs())) as sandbox:
                result = sandbox.run("echo works > proof && cat proof", timeout_s=20)
    except (SandboxError, OSError) as error:
        return HostCheck(name, False, str(error), advice())
    if result.exit_code != 0:
        return HostCheck(name, False, result.stderr.decode(errors="replace").strip(), advice())
    return HostCheck(name, True, f"starts and runs a command as host user {staging.host_uid()}")


def advice() -> str:
    """What most likely keeps namespaces from being made here."""
    for check in kernel_checks(PROC):
        if not check.ok:
            return check.fix
    if in_pod():
        return f"give the container in the pod's specification: {_IN_POD}"
    if in_container():
        return f"start the container with: docker run {_IN_CONTAINER}"
    return "apt-get install bubblewrap"


def in_pod() -> bool:
    """We run in a pod of Kubernetes."""
    return "KUBERNETES_SERVICE_HOST" in os.environ


def in_container() -> bool:
    """We run in a container, whose default rules forbid namespaces."""
    return any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv"))
