"""Backends by name. A new backend is a class and a line here."""

from __future__ import annotations

import os
from collections.abc import Callable

from swesmith_gym.errors import InputError, SandboxUnavailable
from swesmith_gym.sandboxes.base import SandboxBackend

_AUTO = ("bubblewrap", "docker")
"""What `auto` tries, in this order: the others isolate less, or have to be told where they run."""


def _bubblewrap() -> SandboxBackend:
    from swesmith_gym.sandboxes.bubblewrap import Bubblewrap

    return Bubblewrap()


def _docker() -> SandboxBackend:
    from swesmith_gym.sandboxes.docker.backend import Docker

    return Docker()


def _swerex() -> SandboxBackend:
    from swesmith_gym.sandboxes.swerex.backend import Swerex

    return Swerex()


def _process() -> SandboxBackend:
    from swesmith_gym.sandboxes.process.backend import Process

    return Process()


_BACKENDS: dict[str, Callable[[], SandboxBackend]] = {
    "bubblewrap": _bubblewrap,
    "docker": _docker,
    "swerex": _swerex,
    "process": _process,
}
NAMES = tuple(_BACKENDS)
"""Every name that `--sandbox` takes, besides `auto`."""


def backend(name: str | None = None) -> SandboxBackend:
    """The backend of that name; None or `auto`: that of `$SWESMITH_GYM_SANDBOX`, else the first usable one.

    Raises: InputError (no such name), SandboxUnavailable (not usable on this host; says what would change that).
    """
    chosen = name if name not in (None, "", "auto") else os.environ.get("SWESMITH_GYM_SANDBOX") or "auto"
    if chosen == "auto":
        return _first_usable()
    if chosen not in _BACKENDS:
        raise InputError(f"unknown sandbox {chosen!r}; known are auto, {', '.join(NAMES)}")
    return _BACKENDS[chosen]()


def available() -> list[SandboxBackend]:
    """Every backend of this version, whether or not this host can run it."""
    return [make() for make in _BACKENDS.values()]


def _first_usable() -> SandboxBackend:
    problems: list[SandboxUnavailable] = []
    for name in _AUTO:
        try:
            found = _BACKENDS[name]()
            found.root_fs()
        except SandboxUnavailable as error:
            problems.append(error)
        else:
            return found
    reasons = "; ".join(map(str, problems))
    fix = next((error.fix for error in problems if error.fix), "swesmith-gym doctor")
    raise SandboxUnavailable(f"no sandbox is usable on this host: {reasons}", fix=fix)
