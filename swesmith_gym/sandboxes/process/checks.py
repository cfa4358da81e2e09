"""Facts about this machine for `doctor`: what a sandbox without namespaces has here, and what it has to do without.

Landlock, control groups and a user of its own make it stronger and are no condition; the rest is.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
from pathlib import Path

from swesmith_gym.errors import SandboxError, SandboxUnavailable
from swesmith_gym.home import home
from swesmith_gym.sandboxes import cgroups, roots, seccomp
from swesmith_gym.sandboxes.base import HostCheck, SandboxBackend, SandboxSpec
from swesmith_gym.sandboxes.process import landlock, user
from swesmith_gym.sandboxes.staging import below_barrier

_PR_SET_SECCOMP, _FILTER = 22, 2


def check_machine() -> None:
    """Raises: SandboxUnavailable, with what would change that."""
    for check in _conditions():
        if not check.ok:
            raise SandboxUnavailable(f"the process backend is not usable here: {check.detail}", fix=check.fix)
    if user.dedicated():
        user.check_switch(user.sandbox_uid())


def process_checks(backend: SandboxBackend) -> list[HostCheck]:
    """Every fact, the trial last. Never raises for what a machine may lack."""
    found = [*_conditions(), _user(), _landlock(), _groups(), _answers()]
    return [*found, _trial(backend)] if all(check.ok or not check.fix for check in found) else found


def _conditions() -> list[HostCheck]:
    return [_places(), _filter(), _bash()]


def _places() -> HostCheck:
    closed = [path for path in ("/", "/opt") if os.path.isdir(path) and not os.access(path, os.W_OK)]
    if closed:
        detail = f"this user may not make folders in {' and '.join(closed)}, where a sandbox's paths lie"
        return HostCheck("places", False, detail, "run as root, or make / and /opt this user's own in the image")
    return HostCheck("places", True, "the paths of a sandbox can be made")


def _filter() -> HostCheck:
    machine = os.uname().machine
    if not seccomp.program(machine):
        return HostCheck("system call filter", False, f"there is none for {machine}", "use x86_64 or aarch64")
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_SECCOMP, _FILTER, None, 0, 0) and ctypes.get_errno() == 22:
        return HostCheck("system call filter", False, "the kernel has none", "use a kernel with CONFIG_SECCOMP_FILTER")
    return HostCheck("system call filter", True, "refuses dangerous calls, and sockets without a network")


def _bash() -> HostCheck:
    if os.path.exists("/bin/bash"):
        return HostCheck("bash", True, "/bin/bash")
    return HostCheck("bash", False, "/bin/bash is missing", "apt-get install bash")


def _user() -> HostCheck:
    uid = user.sandbox_uid()
    if not user.dedicated():
        return HostCheck("user", True, f"code runs as this user ({uid}) itself: only Landlock keeps it from its files")
    try:
        user.check_switch(uid)
    except SandboxUnavailable as error:
        return HostCheck("user", False, str(error), error.fix)
    return HostCheck("user", True, f"code runs as user {uid}, which is nobody else's")


def _landlock() -> HostCheck:
    found = landlock.version()
    if not found:
        return HostCheck("landlock", False, "the kernel has none, or it is off: only users and modes protect files")
    detail = f"version {found}: writing is limited to the sandbox's folders"
    if found < landlock.SCOPES_SINCE:
        detail += f"; signals to other processes of the user are limited from version {landlock.SCOPES_SINCE} on"
    return HostCheck("landlock", True, detail)


def _groups() -> HostCheck:
    found = cgroups.hierarchy()
    if found:
        return HostCheck(
            "control groups", True, f"version {found.version}: memory and processes are limited per sandbox"
        )
    return HostCheck("control groups", True, "not granted: memory is limited per process, processes per user")


def _answers() -> HostCheck:
    """The state folder holds the code without the bugs."""
    if landlock.version():
        return HostCheck("answers", True, "code inside cannot read the state folder")
    uid = user.sandbox_uid()
    folder = home()
    if user.dedicated() and below_barrier(folder / "x", uid) is not None:
        return HostCheck("answers", True, f"user {uid} cannot enter {folder}")
    fix = f"chmod 700 {folder}" if user.dedicated() else ""
    return HostCheck("answers", False, f"code inside can read {folder}, which holds the solutions", fix)


def _trial(backend: SandboxBackend) -> HostCheck:
    try:
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / "tree"
            tree.mkdir()
            with backend.start(SandboxSpec(tree=tree, root_fs=roots.HOST)) as sandbox:
                result = sandbox.run("echo works > proof && cat proof", timeout_s=20)
    except (SandboxError, OSError) as error:
        return HostCheck("sandbox", False, str(error), getattr(error, "fix", ""))
    said = result.stderr.decode(errors="replace").strip()
    ok = result.exit_code == 0
    return HostCheck("sandbox", ok, "starts and runs a command" if ok else said)
