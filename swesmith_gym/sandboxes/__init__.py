"""Sandboxes: where untrusted code runs. `backend(name)` gives a backend of this host."""

from __future__ import annotations

from swesmith_gym.sandboxes.base import Sandbox, SandboxBackend, SandboxCapabilities, SandboxSpec
from swesmith_gym.sandboxes.registry import backend

__all__ = ["Sandbox", "SandboxBackend", "SandboxCapabilities", "SandboxSpec", "backend"]
