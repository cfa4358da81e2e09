"""What a sandbox shows of its host to read, and what of that is covered (`SandboxSpec.covered`)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from swesmith_gym.home import home
from swesmith_gym.sandboxes import program, rootfs, roots
from swesmith_gym.sandboxes.base import Mount, SandboxSpec
from swesmith_gym.sandboxes.staging import host_uid, reachable


def shown(root_fs: str, mounts: Iterable[Mount] = ()) -> list[Mount]:
    """The folders of a root file system, process 1's interpreter where that lies elsewhere, then `mounts`.

    Raises: InputError (no such root file system).
    """
    system = rootfs.SYSTEM if root_fs == roots.HOST else roots.load(root_fs).folder
    found = [Mount(system / name.removeprefix("/"), name) for name in rootfs.system_mounts(system)[0]]
    if prefix := program.interpreter(root_fs).prefix:
        found.append(Mount(prefix, program.INTERPRETER))
    return [*found, *mounts]


def place(path: str, folders: Iterable[Mount]) -> Path:
    """Where a path inside lies on this host. Raises: ValueError (none of the folders shows it)."""
    return _shown_by(path, folders)[1]


def _shown_by(path: str, folders: Iterable[Mount]) -> tuple[Mount, Path]:
    for mount in folders:
        if path == mount.target or path.startswith(mount.target.rstrip("/") + "/"):
            return mount, mount.source / path[len(mount.target) :].lstrip("/")
    raise ValueError(f"nothing of this host is shown at {path}")


def existing(spec: SandboxSpec) -> Iterator[tuple[str, Path]]:
    """Each covered path that is there and that code inside could reach, with its place on this host."""
    folders = shown(spec.root_fs, spec.mounts) if spec.covered else []
    for path in spec.covered:
        mount, found = _shown_by(path, folders)
        if os.path.lexists(found) and (os.geteuid() != 0 or _passable(mount.source, found)):
            yield path, found


def files(spec: SandboxSpec) -> Iterator[str]:
    """Each file that is covered, those of covered folders one by one: for layers, which can put empty ones in their
    place and take nothing away."""
    for path, found in existing(spec):
        if not found.is_dir():
            yield path
        for folder, _, names in os.walk(found):
            yield from (f"{path}{folder.removeprefix(str(found))}/{name}" for name in sorted(names))


def _passable(source: Path, found: Path) -> bool:
    """Root sees more than the user that it runs code as."""
    above = [each for each in found.parents if each == source or source in each.parents]
    return all(reachable(each, host_uid()) for each in above)


def nothing(place: Path) -> Path:
    """An empty folder, or an empty file, to be laid over a covered one. Raises: OSError."""
    parent = home() / "rootfs" / "nothing"
    parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if place.is_dir():
        (parent / "folder").mkdir(mode=0o755, exist_ok=True)
        return parent / "folder"
    (parent / "file").touch(mode=0o644)
    return parent / "file"
