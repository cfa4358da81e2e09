"""Portable root file systems: what a sandbox shows in place of the host's own `/usr`, the same on every backend.

    HOME/roots/NAME/root/        the file system, device files aside
    HOME/roots/NAME/root.json    the RootFs

One is made from Debian packages, or taken from an image that a Docker daemon has. It is made once and never changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from swesmith_gym.errors import InputError, SandboxUnavailable
from swesmith_gym.home import home, write_atomic
from swesmith_gym.sandboxes.runs import remove_tree

HOST = "host"
PACKAGES = ("python3", "python3-venv", "git", "ca-certificates", "procps")
"""What every build and every episode needs, beside a minimal system."""
_PYTHONS = ("usr/local/bin/python3", "usr/bin/python3")
_LEFT_OUT = ("usr/share/doc/*", "usr/share/man/*", "usr/share/info/*", "usr/share/locale/*", "var/cache/*")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_TIMEOUT_S = 1800


@dataclass(frozen=True, slots=True)
class RootFs:
    """One portable root file system."""

    name: str
    origin: str
    """`debian:SUITE`, or the reference of the image that it was taken from."""
    digest: str
    """SHA-256 of the archive that it came as."""
    python: str
    """Path inside of the interpreter that it brings."""
    python_version: str
    """Full version of that interpreter, e.g. `3.11.2`."""

    @property
    def id(self) -> str:
        """What fingerprints of environments hold: equal ids are equal file systems."""
        return f"{self.origin}@{self.digest[:16]}"

    @property
    def folder(self) -> Path:
        """Where it lies on this host."""
        return home() / "roots" / self.name / "root"


def names() -> list[str]:
    """Of all that are here, sorted."""
    return sorted(path.parent.name for path in (home() / "roots").glob("*/root.json"))


def load(name: str) -> RootFs:
    """Raises: InputError (not here, or damaged)."""
    path = home() / "roots" / name / "root.json"
    try:
        return RootFs(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        known = ", ".join(names()) or "none"
        raise InputError(
            f"no root file system {name!r} here (there are: {known}); make one: swesmith-gym images bootstrap"
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}): delete {path.parent} and make it again") from error


def chosen(*, host: bool) -> str:
    """The name to use: `$SWESMITH_GYM_ROOT_FS`; else `host` for a backend that can show the host's; else the first one.

    Raises: SandboxUnavailable (there is none), InputError (the named one is not here).
    """
    configured = os.environ.get("SWESMITH_GYM_ROOT_FS", "")
    if configured and configured != HOST:
        return load(configured).name
    if host:
        return HOST
    if not (found := names()):
        raise SandboxUnavailable(
            "there is no portable root file system yet, and this sandbox cannot show the host's",
            fix="swesmith-gym images bootstrap",
        )
    return found[0]


def with_id(found: str) -> str:
    """The name of the root file system of an environment, by what its fingerprint holds. Raises: InputError."""
    if found == HOST:
        return HOST
    for name in names():
        if load(name).id == found:
            return name
    raise InputError(f"the root file system {found} is not here; `swesmith-gym images list` shows those that are")


def identity(name: str) -> str:
    """What fingerprints of environments hold for a root file system."""
    return HOST if name == HOST else load(name).id


def bootstrap(suite: str, *, name: str = "", packages: Iterable[str] = (), mirror: str = "") -> RootFs:
    """Make one from Debian's packages. Raises: InputError, SandboxUnavailable (mmdebstrap is missing, or fails)."""
    name = _fresh(name or f"debian-{suite}")
    tool = shutil.which("mmdebstrap")
    if tool is None:
        raise SandboxUnavailable("mmdebstrap is not installed", fix="apt-get install mmdebstrap")
    wanted = ",".join(dict.fromkeys((*PACKAGES, *packages)))
    with _making(name) as folder:
        archive = folder / "root.tar"
        words = [tool, "--quiet", "--variant=minbase", f"--include={wanted}"]
        words += [f"--dpkgopt=path-exclude=/{path}" for path in _LEFT_OUT]
        words += [suite, str(archive), *([mirror] if mirror else [])]
        env = {**os.environ, "SOURCE_DATE_EPOCH": "1577836800"}
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S, env=env)
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
            errors = [line for line in lines if line.startswith("E:")] or lines
            raise SandboxUnavailable(f"mmdebstrap cannot make {suite}: {errors[-1].strip()}", fix="--mirror URL")
        return _keep(folder, archive, name, f"debian:{suite}")


def take(archive: Path, *, name: str, origin: str) -> RootFs:
    """Keep a tar archive of a root file system as one. Raises: InputError."""
    name = _fresh(name)
    with _making(name) as folder:
        return _keep(folder, archive, name, origin)


def remove(name: str) -> None:
    """Delete one. Raises: InputError (not here)."""
    found = load(name)
    (found.folder.parent / "root.json").unlink()
    remove_tree(found.folder.parent)


def _fresh(name: str) -> str:
    if not _NAME.fullmatch(name) or name == HOST:
        raise InputError(f"not a name for a root file system: {name!r} (lower-case letters, digits, - _ .)")
    if (home() / "roots" / name / "root.json").exists():
        raise InputError(f"there is a root file system {name!r} already: `swesmith-gym images remove {name}` first")
    return name


class _making:
    """A folder beside the others that is gone afterwards unless it was renamed."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> Path:
        parent = home() / "roots"
        parent.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix=f".{self._name}-", dir=parent))
        self._folder.chmod(0o755)
        return self._folder

    def __exit__(self, *_: object) -> None:
        remove_tree(self._folder)


def _keep(folder: Path, archive: Path, name: str, origin: str) -> RootFs:
    root = folder / "root"
    root.mkdir(mode=0o755)
    try:
        _unpack(archive, root)
    except (tarfile.TarError, OSError) as error:
        raise InputError(f"{archive.name} is no root file system: {error}") from error
    python = next((path for path in _PYTHONS if os.path.lexists(root / path)), None)
    if python is None:
        raise InputError(f"{origin} has no python3: take an image with Python, or bootstrap one")
    with archive.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    found = RootFs(name, origin, digest, f"/{python}", _version(root, python))
    if archive.parent == folder:
        archive.unlink()
    write_atomic(folder / "root.json", json.dumps(asdict(found), indent=1) + "\n")
    folder.rename(home() / "roots" / name)
    return found


def _unpack(archive: Path, root: Path) -> None:
    """Files, folders and links, readable for their owner; device files are left out."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isdev():
                continue
            member.mode |= 0o700 if member.isdir() else 0o400
            tar.extract(member, root, filter="tar", set_attrs=True, numeric_owner=True)
    for name in ("tmp", "var/tmp"):  # the filter takes such bits away
        if (root / name).is_dir():
            (root / name).chmod(0o1777)


def _version(root: Path, python: str) -> str:
    """Full version of the interpreter, from its own program file: nothing of a foreign system is run on the host."""
    program = (root / python).parent / os.path.basename(os.path.realpath(root / python))
    minor = re.escape(program.name.removeprefix("python")).encode()
    match = re.search(rb"\x00(" + minor + rb"\.\d+)\x00", _bytes_of(root, program))
    if match is None:
        raise InputError(f"the version of {python} cannot be read")
    return match[1].decode()


def _bytes_of(root: Path, program: Path) -> bytes:
    """The program, and the shared library that holds the interpreter where it was built with one."""
    data = program.read_bytes()
    for library in sorted(root.glob("usr/local/lib/libpython3.*.so.1.0")):
        data += library.read_bytes()
    return data
