"""Facts about this host for `doctor`: what a backend needs, and the command that provides what is missing."""

from __future__ import annotations

from swesmith_gym.sandboxes.base import HostCheck, SandboxBackend


def bubblewrap_checks(backend: SandboxBackend) -> list[HostCheck]:
    """What bubblewrap needs here."""
    return []
