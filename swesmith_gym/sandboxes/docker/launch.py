"""From a spec to a running container without its tree: what a warm pool keeps ready."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swesmith_gym.records import FileChange, content_id
from swesmith_gym.sandboxes import rootfs, roots, seccomp
from swesmith_gym.sandboxes.base import SandboxSpec
from swesmith_gym.sandboxes.client import ClientSandbox
from swesmith_gym.sandboxes.docker import config
from swesmith_gym.sandboxes.docker.container import Container
from swesmith_gym.sandboxes.docker.engine import Engine, labels
from swesmith_gym.sandboxes.settings import Settings

CA_BUNDLE = f"{rootfs.HOME}/.ca-certificates.crt"
"""Where the host's certificates appear inside when the network is on: the image has its own, without the host's."""


@dataclass(frozen=True)
class Order:
    """Everything that a container needs but its tree: orders of one kind are interchangeable."""

    engine: Engine
    config: Mapping[str, Any]
    settings: Settings
    bundle: bytes
    """Certificates to bring along."""

    @classmethod
    def of(cls, engine: Engine, spec: SandboxSpec, image: str, volumes: Mapping[str, str]) -> Order:
        """`volumes`: path inside -> name. Raises: InputError, OSError."""
        found = rootfs.ca_bundle() if spec.network != "none" else None
        filters = seccomp.program(str(engine.info.get("Architecture", "")))  # beside the daemon's own
        settings = Settings.of(spec, ca_bundle=CA_BUNDLE, processes=False, filter=filters)
        python = roots.load(spec.root_fs).python
        return cls(
            engine,
            config.container(spec, image, python, volumes, labels(), owned=not engine.podman),
            settings,
            found.read_bytes() if found else b"",
        )

    @property
    def kind(self) -> str:
        """Equal for equal orders."""
        return content_id(json.dumps(self.config, sort_keys=True), dict(self.settings.env), self.settings.limits)

    def launch(self) -> ClientSandbox:
        """Raises: SandboxDied, SandboxUnavailable."""
        peer = Container(self.engine, self.config)
        try:
            sandbox = ClientSandbox(peer, self.settings)
            if self.bundle:
                sandbox.apply((FileChange(CA_BUNDLE, self.bundle),))
        except BaseException:
            peer.kill()
            peer.remove()
            raise
        return sandbox
