"""The SWE-ReX backend: sandboxes in whatever SWE-ReX can deploy.

It cannot know what a deployment isolates, and declares no isolation unless the user does (`config`): code inside one as
SWE-ReX makes it reaches SWE-ReX's server, and finds its token. A deployment brings its own root file system, whatever a
spec names; it has to hold what the environment was built with, and nothing of it is covered. Network `index` is not
offered: nothing there would keep a program to it. A local or remote place is shared: it has one sandbox at a time,
commands see its processes, its `/tmp` and its host name, and run as a user of ours that is not 1000; without root, as
the server's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from swesmith_gym.errors import SandboxUnsupported
from swesmith_gym.records import FileChange
from swesmith_gym.sandboxes import rootfs
from swesmith_gym.sandboxes.base import (
    MAX_TREE_BYTES,
    WORKDIR,
    HostCheck,
    SandboxBackend,
    SandboxCapabilities,
    SandboxSpec,
)
from swesmith_gym.sandboxes.inside import trees
from swesmith_gym.sandboxes.settings import Settings
from swesmith_gym.sandboxes.swerex import line, site
from swesmith_gym.sandboxes.swerex.checks import swerex_checks
from swesmith_gym.sandboxes.swerex.config import Config, check, load
from swesmith_gym.sandboxes.swerex.deployment import Deployment
from swesmith_gym.sandboxes.swerex.line import Line
from swesmith_gym.sandboxes.swerex.sandbox import SwerexSandbox, check_written
from swesmith_gym.sandboxes.swerex.site import Plan, Site

CA_BUNDLE = f"{rootfs.HOME}/.ca-certificates.crt"
"""Where the host's certificates appear inside when the network is on."""


@dataclass(frozen=True)
class Swerex(SandboxBackend):
    """The deployment that `$SWESMITH_GYM_SWEREX` names."""

    name = "swerex"

    def checks(self) -> list[HostCheck]:
        return swerex_checks(self)

    def capabilities(self) -> SandboxCapabilities:
        config = load()
        check(config)
        kind = config.kind
        return SandboxCapabilities(
            network_isolation=config.isolates,
            process_isolation=config.isolates,
            memory_limit="sandbox" if kind.limited else "process",
            process_limit=kind.limited,
            cpu_limit=True,
            snapshots=kind.alone,
            host_root=kind.own_host,
            many=kind.alone,
        )

    def start(self, spec: SandboxSpec) -> SwerexSandbox:
        config = load()
        if spec.network == "index":
            raise SandboxUnsupported("SWE-ReX deployments have no network `index`: use --sandbox bubblewrap or docker")
        spec.tree.stat()  # before a deployment is started for nothing
        if written := _written(spec):
            site.forget()
        deployment = Deployment(config, spec.limits)
        try:
            deployment.start()
            place = Site(deployment, config.python)
            separate = place.arrange(_plan(spec, config, written))
            return self._opened(spec, config, Line(place), separate, written)
        except BaseException:
            deployment.stop()
            raise

    def _opened(
        self, spec: SandboxSpec, config: Config, peer: Line, separate: bool, written: dict[str, Path]
    ) -> SwerexSandbox:
        kind = config.kind
        counted = separate and kind.counted
        memory: Literal["", "DATA"] = "" if kind.limited else "DATA"
        settings = Settings.of(spec, ca_bundle=CA_BUNDLE, processes=counted, memory=memory)
        try:
            sandbox = SwerexSandbox(peer, settings, lambda: self.start(spec), many=kind.alone, written=written)
            if not spec.tree_writable:
                sandbox.fill(WORKDIR, _outline(spec.tree))
            if spec.network != "none" and (bundle := rootfs.ca_bundle()):
                sandbox.apply((FileChange(CA_BUNDLE, bundle.read_bytes()),))
        except BaseException:
            peer.kill()
            peer.remove()
            raise
        return sandbox

    def own(self, folder: Path) -> None:
        del folder  # any may hold another one
        site.forget()

    def fetch(self, folder: Path) -> None:
        site.forget()
        check_written(folder)


def _written(spec: SandboxSpec) -> dict[str, Path]:
    """Path inside -> the host folder that a build writes there."""
    found = {mount.target: mount.source for mount in spec.mounts if mount.writable}
    return {**found, WORKDIR: spec.tree} if spec.tree_writable else found


def _plan(spec: SandboxSpec, config: Config, written: dict[str, Path]) -> Plan:
    kind = config.kind
    shown = {mount.target.rstrip("/"): mount.source for mount in spec.mounts if not mount.writable}
    links = {path: target for path, target in spec.links.items() if not (kind.own_host and Path(path).is_dir())}
    return Plan(
        home=rootfs.HOME,
        user=kind.user,
        alone=kind.alone,
        isolates=config.isolates,
        idle_s=line.IDLE_S,
        shown=shown,
        copied={WORKDIR: spec.tree, **written},
        links=links,
    )


def _outline(tree: Path) -> list[list[object]]:
    """The entries of a tree without the content of its files, which are there already: from them it is told later on
    what has changed."""
    everything = trees.Baseline(1 << 63)
    return trees.pack(str(tree), MAX_TREE_BYTES, everything)
