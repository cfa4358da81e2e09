"""The Docker backend: sandboxes in confined containers.

It does not protect against bugs of the kernel or of the container runtime. The daemon is trusted, and whoever may use
it is root on its machine: the socket is never shown inside.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from swesmith_gym.errors import SandboxDied, SandboxError
from swesmith_gym.sandboxes import warm
from swesmith_gym.sandboxes.base import (
    MAX_TREE_BYTES,
    WORKDIR,
    HostCheck,
    SandboxBackend,
    SandboxCapabilities,
    SandboxSpec,
)
from swesmith_gym.sandboxes.client import ClientSandbox
from swesmith_gym.sandboxes.docker import launch, volumes
from swesmith_gym.sandboxes.docker.checks import docker_checks
from swesmith_gym.sandboxes.docker.container import lost
from swesmith_gym.sandboxes.docker.engine import OWNER, Engine, ImageMissing, engine, orphaned, ours
from swesmith_gym.sandboxes.docker.layers import Layers
from swesmith_gym.sandboxes.inside import trees


@dataclass(frozen=True)
class Docker(SandboxBackend):
    """Containers of the daemon that `$DOCKER_HOST` names, else of the one on this machine."""

    name = "docker"
    warm: int = field(default_factory=warm.each)
    """Containers of each image that are kept ready, without their trees."""

    def checks(self) -> list[HostCheck]:
        return docker_checks(self)

    def capabilities(self) -> SandboxCapabilities:
        info = _engine().info
        return SandboxCapabilities(
            network_isolation=True,
            process_isolation=True,
            memory_limit="sandbox" if info.get("MemoryLimit") else "none",
            process_limit=bool(info.get("PidsLimit")),
            cpu_limit=True,
            disk_limit=True,
            separate_user=True,
            snapshots=True,
            host_root=False,
            covers=True,
        )

    def quiet(self) -> AbstractContextManager[None]:
        return warm.pool(self.name, self.warm).quiet() if self.warm else nullcontext()

    def start(self, spec: SandboxSpec) -> ClientSandbox:
        places = _writable(spec)
        try:
            sandbox = self._with_volumes(spec, places) if places else self._with_tree(spec)
        except SandboxDied as error:
            raise lost(error) from None
        sandbox.again = lambda: self.start(spec)
        return sandbox

    def _with_tree(self, spec: SandboxSpec) -> ClientSandbox:
        """An episode: from the pool where it has one, which gets its tree now."""
        entries = _content(spec.tree)
        order = launch.Order.of(_engine(), spec, _layers().image(spec), {})
        pooled = self.warm and spec.network == "none"
        if pooled and (ready := warm.pool(self.name, self.warm).take(order.kind, order.launch)):
            try:
                return _filled(ready, {WORKDIR: entries})
            except SandboxDied:
                pass  # it died while it waited
        return _filled(self._launched(spec, {}), {WORKDIR: entries})

    def _with_volumes(self, spec: SandboxSpec, places: Mapping[str, Path]) -> ClientSandbox:
        """A build: folders that it writes are volumes, filled the first time."""
        found = _engine()
        fresh = [folder for folder in places.values() if not volumes.there(found, folder)]
        for folder in fresh:
            volumes.make(found, folder)
        names = {path: volumes.name_of(folder) for path, folder in places.items()}
        content = {path: trees.pack(str(folder), MAX_TREE_BYTES) for path, folder in places.items() if folder in fresh}
        if WORKDIR not in places:
            content[WORKDIR] = _content(spec.tree)
        return _filled(self._launched(spec, names), content)

    def _launched(self, spec: SandboxSpec, names: Mapping[str, str]) -> ClientSandbox:
        try:
            return launch.Order.of(_engine(), spec, _layers().image(spec), names).launch()
        except ImageMissing:
            _layers().look_again()
            return launch.Order.of(_engine(), spec, _layers().image(spec), names).launch()

    def own(self, folder: Path) -> None:
        volumes.remove_below(_engine(), folder)
        _layers().forget(folder)

    def fetch(self, folder: Path) -> None:
        found = _engine()
        _layers().forget(folder)
        if not volumes.there(found, folder):
            return
        with self.start(SandboxSpec(tree=folder, tree_writable=True, root_fs=self.root_fs())) as sandbox:
            entries = sandbox.pack(WORKDIR)
        trees.unpack(str(folder), entries)
        volumes.remove_below(found, folder)

    def remove_tree(self, folder: Path) -> None:
        try:
            volumes.remove_below(_engine(), folder)
            _layers().remove(folder)
        except SandboxError:
            pass  # without a daemon there is nothing of it there
        shutil.rmtree(folder, ignore_errors=True)

    def leftovers(self) -> list[str]:
        found = _engine()
        return [
            f"container {each['Id'][:12]} ({each['State']})"
            for each in found.ask(lambda api: api.containers(all=True, filters={"label": OWNER}))
            if ours(each["Labels"].get(OWNER, ""))
        ]


def _filled(sandbox: ClientSandbox, content: Mapping[str, list[list[Any]]]) -> ClientSandbox:
    """Raises: SandboxDied, OSError; the sandbox is closed then."""
    try:
        for path, entries in content.items():
            sandbox.fill(path, entries)
    except BaseException:
        sandbox.close()
        raise
    return sandbox


def _writable(spec: SandboxSpec) -> dict[str, Path]:
    """Path inside -> the host folder that a build writes there."""
    found = {mount.target: mount.source for mount in spec.mounts if mount.writable}
    return {**found, WORKDIR: spec.tree} if spec.tree_writable else found


def _content(tree: Path) -> list[list[Any]]:
    """Raises: OSError."""
    state = tree.stat()
    return _content_of(tree, state.st_ino, state.st_ctime_ns)


@lru_cache(maxsize=16)
def _content_of(tree: Path, _inode: int, _ctime_ns: int) -> list[list[Any]]:
    """Trees are not changed while sandboxes start on them, so that those used last are kept."""
    return trees.pack(str(tree), MAX_TREE_BYTES)


def _engine() -> Engine:
    found = engine()
    _prepare_once(os.getpid())
    return found


def _layers() -> Layers:
    return _layers_of(_engine())


@cache
def _layers_of(found: Engine) -> Layers:
    return Layers(found)


@cache
def _prepare_once(_pid: int) -> None:
    """At the first use in each process: remove what drivers that have died left behind."""
    found = engine()
    for each in found.ask(lambda api: api.containers(all=True, filters={"label": OWNER})):
        if orphaned(each["Labels"].get(OWNER, "")):
            found.remove_container(each["Id"])
    volumes.remove_orphans(found)
