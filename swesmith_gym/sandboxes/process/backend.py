"""The weakest backend: sandboxes without namespaces, for machines that are themselves the sandbox.

In a pod or a container that grants neither namespaces nor Docker, code runs as a user of the machine, below limits and
a filter of system calls, with Landlock where the kernel has it. One sandbox can be open at a time, since its paths are
the machine's own.

It does not protect: other processes of the machine are seen, and so are its files, as far as their modes and Landlock
go; copies of a repository's code are closed to reading in the system's folders only, and only by Landlock; `/tmp` and
`/dev/shm` are everybody's; host name, `/etc` and user ids are the machine's; disk space is not limited. Network `none`
refuses all sockets but Unix ones, loopback included, so that a daemon of the machine with a named socket could still
pass something on; `index` leaves TCP over IPv4, to one port where Landlock is of version 4 or later, to any before
that. Without control groups the processes are counted for the user, which pods of one node share. Whoever grades with
it says that nothing else lives here (`trusted_outer`).
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from swesmith_gym.errors import SandboxDied, SandboxUnsupported
from swesmith_gym.sandboxes import cgroups, covers, program, rootfs, roots, runs, seccomp
from swesmith_gym.sandboxes.base import (
    MAX_TREE_BYTES,
    WORKDIR,
    HostCheck,
    Network,
    SandboxBackend,
    SandboxCapabilities,
    SandboxSpec,
)
from swesmith_gym.sandboxes.inside import trees
from swesmith_gym.sandboxes.process import landlock, places, turn, user
from swesmith_gym.sandboxes.process.checks import check_machine, process_checks
from swesmith_gym.sandboxes.process.peer import Guarded
from swesmith_gym.sandboxes.process.sandbox import ProcessSandbox
from swesmith_gym.sandboxes.settings import Settings

TRUST = "SWESMITH_GYM_TRUST_OUTER_SANDBOX"
"""Set to 1: the machine itself is the sandbox, and grading may trust it."""

_SOCKETS: dict[Network, seccomp.Sockets] = {"none": "unix", "index": "tcp", "full": "all"}
_open: dict[int, Guarded] = {}
"""Driver's process id -> what it has started last."""


@dataclass(frozen=True)
class Process(SandboxBackend):
    """Never chosen by itself. As root, code runs as a dedicated user; as an ordinary user, as that user."""

    name = "process"

    def checks(self) -> list[HostCheck]:
        return process_checks(self)

    def capabilities(self) -> SandboxCapabilities:
        check_machine()
        grouped = cgroups.hierarchy() is not None
        return SandboxCapabilities(
            memory_limit="sandbox" if grouped else "process",
            process_limit=grouped or user.dedicated(),
            cpu_limit=True,
            separate_user=user.dedicated(),
            snapshots=True,
            covers=landlock.version() > 0,
            many=False,
            trusted_outer=os.environ.get(TRUST) == "1",
        )

    def start(self, spec: SandboxSpec) -> ProcessSandbox:
        """As the contract says. A sandbox that is open makes it wait, up to a minute. Raises: SandboxDied then."""
        if spec.root_fs != roots.HOST:
            raise SandboxUnsupported(f"the process backend shows the machine's own files only, not {spec.root_fs!r}")
        check_machine()
        entries = None if spec.tree_writable else _content(spec.tree)
        mine = _take()
        try:
            mine.clean()
            mine.make(places.wanted(spec), secrets.token_hex(8))
            peer = Guarded(mine)
        except BaseException:
            mine.end()
            raise
        try:
            sandbox = self._begin(spec, peer, mine)
            if entries is not None:
                sandbox.fill(WORKDIR, entries)
        except BaseException:
            peer.remove()
            raise
        _open[os.getpid()] = peer
        return sandbox

    def _begin(self, spec: SandboxSpec, peer: Guarded, mine: turn.Turn) -> ProcessSandbox:
        """Raises: SandboxDied, OSError."""
        limits = spec.limits
        try:
            if found := cgroups.hierarchy():
                slack = 16  # process 1, and those that are being taken apart
                peer.confine(cgroups.Group(found, mine.group, limits.memory_bytes, limits.processes + slack))
            peer.begin(_order(spec, peer, mine))
        except (ProcessLookupError, BrokenPipeError):
            raise SandboxDied(f"the sandbox ended while it was started: {peer.why()}") from None
        return ProcessSandbox(peer, _settings(spec, grouped=peer.group is not None), lambda: self.start(spec))

    def own(self, folder: Path) -> None:
        user.give(folder, user.sandbox_uid())

    def fetch(self, folder: Path) -> None:
        """What a build has made is the driver's from then on: the sandbox's user can read it and change nothing."""
        user.give(folder, os.geteuid())

    def remove_tree(self, folder: Path) -> None:
        runs.remove_tree(folder)

    def leftovers(self) -> list[str]:
        uid = user.sandbox_uid()
        found = [f"process {pid} of user {uid}" for pid in user.processes_of(uid)] if user.dedicated() else []
        return found + ([str(turn.FILE)] if turn.holder() == os.getpid() else [])


def _take() -> turn.Turn:
    """A sandbox of this driver that has ended, but that nobody has closed yet, gives its turn away."""
    last = _open.get(os.getpid())
    if last and last.over:
        last.remove()
    return turn.take(turn.WAIT_S)


def _content(tree: Path) -> list[list[Any]]:
    """Raises: OSError."""
    state = tree.stat()
    return _content_of(tree, state.st_ino, state.st_ctime_ns)


@lru_cache(maxsize=16)
def _content_of(tree: Path, _inode: int, _ctime_ns: int) -> list[list[Any]]:
    """Trees are not changed while sandboxes start on them, so that those used last are kept."""
    return trees.pack(str(tree), MAX_TREE_BYTES)


def _settings(spec: SandboxSpec, *, grouped: bool) -> Settings:
    bundle = str(rootfs.ca_bundle() or rootfs.CA_BUNDLE)
    found = Settings.of(spec, ca_bundle=bundle, memory="" if grouped else "DATA")
    own = {"HOME": places.home_inside(), "TMPDIR": places.TMP}
    limits = dict(found.rlimits)
    if not user.dedicated():  # the kernel counts all that this user runs on the machine
        limits["NPROC"] += user.threads_of(os.geteuid())
    relay = (places.INDEX, rootfs.INDEX_PORT) if found.relay else None
    return replace(found, env={**found.env, **own, **spec.env}, rlimits=limits, relay=relay)


def _order(spec: SandboxSpec, peer: Guarded, mine: turn.Turn) -> dict[str, Any]:
    """What the guard makes of its child."""
    own_user = user.dedicated()
    spared = {peer.pid, peer.guard, os.getpid(), os.getpgid(0)} - {0}  # 0: a group from outside of the container
    prefix = program.interpreter(roots.HOST).prefix
    covered = [each for path, place in covers.existing(spec) for each in (Path(path), place)]  # a copy, its source
    rules = landlock.rules(mine.writable(), mine.readable(), covered, network=spec.network, own_user=own_user)
    return {
        "command": program.command(roots.HOST),
        "env": {"LD_LIBRARY_PATH": f"{program.INTERPRETER}/lib"} if prefix else {},
        "uid": user.sandbox_uid() if own_user else 0,
        "landlock": rules,
        "filter": seccomp.program(spared=tuple(sorted(spared)), sockets=_SOCKETS[spec.network]).hex(),
    }
