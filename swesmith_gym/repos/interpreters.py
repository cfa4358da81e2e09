"""Interpreters of this host: which one a profile gets, and how a sandbox shows it.

One below `/usr` is preferred, since every sandbox shows that folder anyway. Any other is mounted at `/opt/python`, with
a link at its own prefix, for builds that find their library by an absolute path.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from swesmith_gym.errors import ProfileError
from swesmith_gym.sandboxes import roots
from swesmith_gym.sandboxes.base import Mount

MOUNTED = "/opt/python"
_ASK = (
    "import json, platform, sys; print(json.dumps([platform.python_implementation(), platform.python_version(), "
    "sys.base_prefix, getattr(sys, '_base_executable', sys.executable), sys.version_info[:2]]))"
)
_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Interpreter:
    """One interpreter of this host."""

    version: str
    """Full, e.g. `3.11.2`."""
    prefix: str
    """Its folder on the host; empty where it lies below `/usr`."""
    path: str
    """Its path inside a sandbox."""

    @property
    def minor(self) -> str:
        """`X.Y`."""
        return ".".join(self.version.split(".")[:2])


def mounts(prefix: str) -> tuple[Mount, ...]:
    """What a sandbox must show for an interpreter with that prefix."""
    return (Mount(Path(prefix), MOUNTED),) if prefix else ()


def links(prefix: str) -> Mapping[str, str]:
    """Links that a sandbox needs for it."""
    return {prefix: MOUNTED} if prefix else {}


def choose(wanted: str, allowed: list[str] | None = None, root_fs: str = roots.HOST) -> tuple[Interpreter, str]:
    """The interpreter for `wanted` (`X.Y`), and a warning where another one must do.

    Tried in turn: this host's, one that uv downloads, the nearest that the host has out of `allowed`. A portable root
    file system brings its own; beside that only those run on it that uv manages, which need nothing of a system.
    Raises: ProfileError (none).
    """
    if found := _named(wanted, root_fs):
        return found, ""
    have = installed(root_fs)
    if downloaded := _download(wanted, root_fs):
        return downloaded, ""
    others = [v for v in have if allowed is None or v in allowed]
    if not others:
        raise ProfileError(
            f"Python {wanted} is not on this host and cannot be downloaded; the host has {', '.join(have) or 'none'}; "
            f"install it, e.g. `uv python install {wanted}`",
            step="interpreter",
        )
    nearest = min(others, key=lambda v: abs(_minor(v) - _minor(wanted)))
    return have[nearest], f"Python {wanted} is not on this host: {nearest} is used, so the fingerprint is another one"


def _named(minor: str, root_fs: str) -> Interpreter | None:
    if root_fs != roots.HOST:
        return installed(root_fs).get(minor)
    return next((one for path in _candidates() if path.name == f"python{minor}" and (one := _ask(path))), None)


def _minor(version: str) -> int:
    return int(version.split(".")[1])


@cache
def installed(root_fs: str = roots.HOST) -> Mapping[str, Interpreter]:
    """`X.Y` -> the best interpreter of that version that runs on a root file system, newest version first."""
    found: dict[str, Interpreter] = {}
    if root_fs != roots.HOST:
        root = roots.load(root_fs)
        own = Interpreter(root.python_version, "", root.python)
        found[own.minor] = own
    seen: set[Path] = set()
    for path in _candidates() if root_fs == roots.HOST else _managed():
        real = path.resolve()
        if real in seen or not os.access(path, os.X_OK):
            continue
        seen.add(real)
        if (one := _ask(path)) and one.minor not in found:
            found[one.minor] = one
    return dict(sorted(found.items(), key=lambda item: -_minor(item[0])))


def _candidates() -> Iterator[Path]:
    """Interpreters by preference: below `/usr`, then the version managers' folders, then the search path."""
    for folder in ("/usr/bin", "/usr/local/bin"):
        yield from _in(Path(folder))
    yield from _managed()
    yield from _versions(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions")
    for name in os.environ.get("PATH", "").split(os.pathsep):
        if name and "shims" not in name:
            yield from _in(Path(name))


def _managed() -> Iterator[Path]:
    """Those that uv has downloaded."""
    configured = os.environ.get("UV_PYTHON_INSTALL_DIR")
    for folder in (configured, Path.home() / ".local/share/uv/python"):
        if folder:
            yield from _versions(Path(folder))


def _versions(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        newest = sorted(folder.iterdir(), key=lambda p: [int(n) for n in re.findall(r"\d+", p.name)], reverse=True)
        for version in newest:
            yield from _in(version / "bin")


def _in(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if re.fullmatch(r"python3\.\d+", p.name))
    except OSError:
        return []


def _ask(path: Path) -> Interpreter | None:
    """What an interpreter says of itself; None where it does not run or is no CPython."""
    command = [str(path), "-I", "-S", "-c", _ASK]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=True, env={}, cwd="/")
        kind, version, prefix, executable, (major, minor) = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    if kind != "CPython" or not re.fullmatch(r"3\.\d+\.\d+", version):
        return None
    if prefix == "/usr" or prefix.startswith("/usr/"):
        return Interpreter(version, "", executable if executable.startswith("/usr/") else str(path))
    inside = f"{MOUNTED}/bin/python{major}.{minor}"
    return Interpreter(version, prefix, inside) if (Path(prefix) / f"bin/python{major}.{minor}").exists() else None


def uv_binary() -> Path:
    """The uv that came with this package. Raises: ProfileError."""
    try:
        from uv import find_uv_bin

        return Path(find_uv_bin())
    except (ImportError, FileNotFoundError) as error:
        raise ProfileError("uv is not installed: pip install uv", step="interpreter") from error


def _download(version: str, root_fs: str) -> Interpreter | None:
    """A build of that version that uv downloads; None where it cannot."""
    command = [str(uv_binary()), "python", "install", "--quiet", "--no-config", version]
    try:
        subprocess.run(command, capture_output=True, timeout=300, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    installed.cache_clear()
    return _named(version, root_fs)


def has(minor: str, root_fs: str = "") -> bool:
    """There is an interpreter of version `X.Y`."""
    return _named(minor, root_fs or roots.HOST) is not None
