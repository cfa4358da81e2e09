"""Sandboxes in user namespaces, without a daemon and without root: overlay mounts and processes through bubblewrap.

It does not protect against bugs of the kernel, nor limit the disk space that an episode's files take on the host; where
no control groups are granted, memory is limited for each process only. With network `full` a sandbox can reach whatever
the host reaches.
"""

from __future__ import annotations

import os
import resource
import subprocess
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from swesmith_gym.errors import SandboxDied, SandboxError, SandboxUnavailable
from swesmith_gym.home import home
from swesmith_gym.sandboxes import cgroups, covers, program, rootfs, roots, runs, seccomp, staging, warm
from swesmith_gym.sandboxes.base import (
    WORKDIR,
    HostCheck,
    Limits,
    SandboxBackend,
    SandboxCapabilities,
    SandboxSpec,
)
from swesmith_gym.sandboxes.binary import find_bwrap
from swesmith_gym.sandboxes.client import ClientSandbox
from swesmith_gym.sandboxes.host import advice, bubblewrap_checks
from swesmith_gym.sandboxes.namespace import Namespace
from swesmith_gym.sandboxes.settings import Settings, proxy_socket

MANY_FILES = 65536


@dataclass(frozen=True)
class Bubblewrap(SandboxBackend):
    """The embedded default. Works as an ordinary user; started by root, code runs as a dedicated host user."""

    name = "bubblewrap"
    warm: int = field(default_factory=warm.each)
    """Sandboxes of each spec that are kept ready, their trees mounted."""

    def checks(self) -> list[HostCheck]:
        return bubblewrap_checks(self)

    def capabilities(self) -> SandboxCapabilities:
        _probe(os.geteuid())
        return SandboxCapabilities(
            network_isolation=True,
            process_isolation=True,
            memory_limit="sandbox" if cgroups.hierarchy() else "process",
            process_limit=True,
            cpu_limit=True,
            separate_user=os.geteuid() == 0,
            snapshots=True,
            covers=True,
        )

    def quiet(self) -> AbstractContextManager[None]:
        return warm.pool(self.name, self.warm).quiet() if self.warm else nullcontext()

    def start(self, spec: SandboxSpec) -> ClientSandbox:
        _prepare_once(os.getpid(), home())
        if os.geteuid() == 0 and spec.tree.stat().st_uid != staging.host_uid():
            self.own(spec.tree)  # another backend made it, where nobody but the driver owns anything
        sandbox = self._ready(spec) or self._fresh(spec)
        sandbox.again = lambda: self.start(spec)
        return sandbox

    def _ready(self, spec: SandboxSpec) -> ClientSandbox | None:
        """From the pool. Trees are not changed while sandboxes start on them; another at its place is another kind."""
        if not self.warm or spec.tree_writable or spec.network != "none" or any(each.writable for each in spec.mounts):
            return None
        state = spec.tree.stat()
        kind = f"{spec} {state.st_ino} {state.st_ctime_ns}"
        return warm.pool(self.name, self.warm).take(kind, lambda: self._fresh(spec))

    def _fresh(self, spec: SandboxSpec) -> ClientSandbox:
        folder = runs.make_run(staging.host_uid())
        try:
            peer = self._launch(spec, folder)
        except BaseException:
            runs.remove_tree(folder)
            raise
        try:
            return ClientSandbox(peer, Settings.of(spec, memory="DATA" if peer.group is None else ""))
        except SandboxDied as error:
            peer.remove()
            raise _failed(str(error)) from None
        except BaseException:
            peer.kill()
            peer.remove()
            raise

    def _launch(self, spec: SandboxSpec, folder: Path) -> Namespace:
        command = [*_prefix(), _staged(find_bwrap()), *arguments(spec, folder)]
        try:
            peer = Namespace(command, folder, seccomp.program())
        except SandboxDied as error:
            raise _failed(str(error)) from None
        try:
            found = cgroups.hierarchy()
            if found:
                slack = 16  # process 1, and those that are being taken apart
                limits = spec.limits
                peer.confine(cgroups.Group(found, folder.name, limits.memory_bytes, limits.processes + slack))
            if os.geteuid() == 0:
                peer.protect()
        except ProcessLookupError:
            reason = peer.why()
            peer.remove()
            raise _failed(reason) from None
        except BaseException:
            peer.kill()
            peer.remove()
            raise
        return peer

    def own(self, folder: Path) -> None:
        if os.geteuid() != 0:
            return
        uid = staging.host_uid()
        os.chown(folder, uid, uid, follow_symlinks=False)
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files):
                os.chown(os.path.join(parent, name), uid, uid, follow_symlinks=False)

    def remove_tree(self, folder: Path) -> None:
        runs.remove_tree(folder)


@cache
def _probe(_user: int) -> None:
    """Make namespaces and an overlay, once: it may be forbidden though `bwrap` is there. Raises: SandboxUnavailable."""
    words = ["--unshare-all", "--unshare-user", "--disable-userns", "--ro-bind", "/", "/", "--proc", "/proc"]
    words += ["--overlay-src", "/usr/bin", "--overlay-src", "/usr/lib", "--ro-overlay", "/tmp", "--", "/bin/true"]
    command = [*_prefix(), _staged(find_bwrap()), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", timeout=60)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"bwrap ended with code {done.returncode}"]
        raise SandboxUnavailable(f"bubblewrap cannot make a sandbox here: {lines[-1]}", fix=advice())


def _failed(reason: str) -> SandboxError:
    """What a start that failed means: where the host still makes sandboxes, another start may succeed."""
    try:
        _probe.__wrapped__(os.geteuid())
    except SandboxUnavailable as error:
        return error
    except (OSError, subprocess.TimeoutExpired):
        pass  # short of memory, descriptors or time: that passes
    return SandboxDied(f"the sandbox ended while it was started: {reason}")


@cache
def _prepare_once(_pid: int, _state: Path) -> None:
    """At the first start of each process: remove what drivers that have died left behind, and allow for many sandboxes,
    each of which takes four descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, MANY_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    for folder in runs.stale_runs():
        runs.remove_tree(folder)
        cgroups.remove_stale(folder.name)


def _prefix() -> list[str]:
    return staging.stage().command() if os.geteuid() == 0 else []


def _staged(path: Path) -> str:
    return staging.stage().path(path) if os.geteuid() == 0 else str(path.resolve(strict=True))


def arguments(spec: SandboxSpec, folder: Path) -> list[str]:
    """Bubblewrap's arguments, descriptors as `Namespace` names them."""
    words = ["--unshare-all", "--unshare-user", "--disable-userns", "--as-pid-1", "--clearenv"]
    words += ["--uid", "1000", "--gid", "1000"]
    words += ["--hostname", rootfs.HOST_NAME, "--info-fd", "{info}"]
    if seccomp.program():
        words += ["--seccomp", "{seccomp}"]
    if spec.network == "full":
        words += ["--share-net"]
    words += _system(spec)
    words += _private(spec.limits)
    words += _program(spec.root_fs)
    if spec.network == "index":
        words += ["--ro-bind", _staged(proxy_socket(spec)), rootfs.INDEX_SOCKET]
    for mount in spec.mounts:
        words += ["--bind" if mount.writable else "--ro-bind", _staged(mount.source), mount.target]
    words += _covers(spec)
    for path, target in spec.links.items():
        words += ["--symlink", target, path]
    if spec.tree_writable:
        words += ["--bind", _staged(spec.tree), WORKDIR]
    else:
        upper, work = _staged(folder / "upper"), _staged(folder / "work")
        words += ["--overlay-src", _staged(spec.tree), "--overlay", upper, work, WORKDIR]
    words += ["--remount-ro", "/", "--chdir", "/"]
    return [*words, "--", *program.command(spec.root_fs)]


def _system(spec: SandboxSpec) -> list[str]:
    system = rootfs.SYSTEM if spec.root_fs == roots.HOST else roots.load(spec.root_fs).folder
    folders, links = rootfs.system_mounts(system)
    words: list[str] = []
    for name in folders:
        words += ["--ro-bind", name if system == rootfs.SYSTEM else _staged(system / name.removeprefix("/")), name]
    for path, target in links.items():
        words += ["--symlink", target, path]
    words += ["--ro-bind", _staged(rootfs.etc_folder(spec.network, system)), "/etc"]
    return [*words, "--proc", "/proc", "--dev", "/dev"]


def _covers(spec: SandboxSpec) -> list[str]:
    found = [(path, covers.nothing(place)) for path, place in covers.existing(spec)]
    return [word for path, empty in found for word in ("--ro-bind", _staged(empty), path)]


def _private(limits: Limits) -> list[str]:
    """Folders in memory. Together they stay below the memory limit, so that filling them leaves room to go on."""
    words: list[str] = []
    size = str(max(min(limits.tmp_bytes, limits.memory_bytes // 4), 1 << 20))
    for path, mode in (("/tmp", "1777"), ("/dev/shm", "1777"), (rootfs.HOME, "0755")):
        words += ["--perms", mode, "--size", size, "--tmpfs", path]
    return [
        *words,
        "--remount-ro",
        "/dev",
        "--dir",
        "/opt",
        "--dir",
        "/var",
        "--symlink",
        "/tmp",
        "/var/tmp",
        "--dir",
        "/run",
    ]


def _program(root_fs: str) -> list[str]:
    """Process 1's own folder, and its interpreter where that is not in `/usr`."""
    words = ["--ro-bind", _staged(program.folder(root_fs)), program.TOOLS]
    prefix = program.interpreter(root_fs).prefix
    if prefix:
        target = program.INTERPRETER
        words += ["--ro-bind", _staged(prefix), target, "--setenv", "LD_LIBRARY_PATH", f"{target}/lib"]
    return words
