"""One sandbox from start to close, again and again: how long each call takes, and what an idle sandbox costs."""

from __future__ import annotations

import resource
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from _measure import Times, descendants, disk_bytes, pss_mib

from swesmith_gym.errors import InputError, SandboxUnavailable
from swesmith_gym.sandboxes import warm
from swesmith_gym.sandboxes.base import Sandbox, SandboxBackend, SandboxSpec
from swesmith_gym.sandboxes.bubblewrap import Bubblewrap
from swesmith_gym.sandboxes.docker.backend import Docker
from swesmith_gym.sandboxes.registry import NAMES, backend

STEPS = 20
FULL_S = 120.0
"""How long a pool may take to fill, in seconds."""


@dataclass(frozen=True)
class Variant:
    """A backend, and what to wait for before each start that is measured."""

    name: str
    backend: SandboxBackend
    settle: Callable[[], object] = lambda: None
    forks: bool = True


def usable() -> tuple[list[SandboxBackend], dict[str, str]]:
    """The backends that work here, and why the others do not."""
    found: list[SandboxBackend] = []
    skipped: dict[str, str] = {}
    for name in NAMES:
        try:
            one = backend(name)
            one.capabilities()
            one.root_fs()
        except (SandboxUnavailable, InputError) as error:
            skipped[name] = str(error)
        else:
            found.append(one)
    return found, skipped


def variants(found: SandboxBackend) -> list[Variant]:
    """A backend with a warm pool counts twice: without it, and with the pool filled before each start."""
    if not isinstance(found, Bubblewrap | Docker):
        return [Variant(found.name, found, forks=found.capabilities().many)]
    pool = warm.renew(found.name, found.warm)  # what it holds is of one kind then
    return [
        Variant(f"{found.name}, cold", replace(found, warm=0)),
        Variant(f"{found.name}, warm pool", found, lambda: pool.settle(FULL_S)),
    ]


def docker_image(spec: SandboxSpec) -> str:
    """The image of the daemon that sandboxes of a spec start from."""
    from swesmith_gym.sandboxes.docker.engine import engine
    from swesmith_gym.sandboxes.docker.layers import Layers

    return Layers(engine()).image(spec)


def measure(variant: Variant, spec: SandboxSpec, rounds: int) -> dict[str, Any]:
    """Times of each call, and the size of an idle sandbox."""
    for _ in range(2):  # the first use makes files and images, the second fills a pool
        variant.backend.start(spec).close()
    times = Times()
    sizes: dict[str, Any] = {}
    for number in range(rounds):
        variant.settle()
        with times.take("start", lambda: variant.backend.start(spec)) as sandbox:
            _steps(times, sandbox)
            if not number:
                sizes = idle(sandbox)
            _states(times, sandbox, variant)
            times.take("close", sandbox.close)
    return {"times": times.summary(), "idle": sizes, "cpu_ms_of_start_and_close": _cpu(variant, spec, rounds)}


def _cpu(variant: Variant, spec: SandboxSpec, rounds: int) -> dict[str, float]:
    """What the driver and its children used of the CPU for one sandbox: another load moves it less than the times. What
    a daemon does is not in it."""
    kinds = {"driver": resource.RUSAGE_SELF, "children": resource.RUSAGE_CHILDREN}

    def used() -> dict[str, float]:
        return {name: sum(resource.getrusage(kind)[:2]) for name, kind in kinds.items()}

    before = used()
    for _ in range(rounds):
        variant.backend.start(spec).close()
    return {name: round((value - before[name]) / rounds * 1e3, 2) for name, value in used().items()}


def _steps(times: Times, sandbox: Sandbox) -> None:
    shell = sandbox.shell()
    times.take("session's first step", lambda: shell.run(":"))
    for _ in range(STEPS):
        times.take("step, builtin", lambda: shell.run(":"))
        times.take("step, one program", lambda: shell.run("/bin/true"))
    times.take("run, fresh bash", lambda: sandbox.run(":"))
    times.take("read a file", lambda: sandbox.read_file("package0/module0.py"))


def _states(times: Times, sandbox: Sandbox, variant: Variant) -> None:
    """After an edit of ten files."""
    sandbox.shell().run("for n in 0 1 2 3 4 5 6 7 8 9; do echo >> package0/module$((n * 15)).py; done")
    saved = times.take("snapshot", sandbox.snapshot)
    variant.settle()
    times.take("restore", lambda: sandbox.restore(saved))
    if variant.forks:
        variant.settle()
        times.take("fork", sandbox.fork).close()
    times.take("manifest of 300 files", sandbox.manifest)


def idle(sandbox: Sandbox) -> dict[str, Any]:
    """What a sandbox whose session has been used, and that now waits, takes of memory and disk."""
    peer: Any = sandbox._peer  # type: ignore[attr-defined]
    if hasattr(peer, "id"):
        return _container(peer)
    first = getattr(peer, "guard", 0) or getattr(getattr(peer, "_process", None), "pid", 0)
    if not first:
        return {}  # it lives on another machine
    pids = descendants(first)
    found = {"processes": len(pids), "pss_mib": _mib(pids)}
    return {**found, "disk_bytes": disk_bytes(peer.folder)} if hasattr(peer, "folder") else found


def _container(peer: Any) -> dict[str, Any]:
    """Its processes, the daemon's keeper of it, its control group (with the tree, which lies in memory), its layer."""
    found = peer._engine.ask(lambda api: api.inspect_container(peer.id))
    listed = peer._engine.ask(lambda api: api.containers(filters={"id": peer.id}, size=True))
    size = {"disk_bytes": int(listed[0].get("SizeRw", 0))}
    pid = int(found["State"]["Pid"])
    if not Path(f"/proc/{pid}").is_dir():
        return size  # the daemon is on another machine
    pids = descendants(pid)
    keeper = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    group = Path("/sys/fs/cgroup/memory/docker") / peer.id / "memory.usage_in_bytes"
    return {
        "processes": len(pids),
        "pss_mib": _mib(pids),
        "shim_pss_mib": _mib([keeper]),
        "cgroup_mib": round(int(group.read_text()) / 2**20, 2) if group.exists() else None,
        **size,
    }


def _mib(pids: list[int]) -> float:
    return round(pss_mib(pids), 2)
