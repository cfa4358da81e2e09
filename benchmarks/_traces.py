"""What sandboxes leave behind, as seen from the driver: processes, mounts, files, descriptors, containers, memory."""

from __future__ import annotations

import gc
import os
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from _measure import descendants, rss_mib

from swesmith_gym.home import home
from swesmith_gym.sandboxes.base import Sandbox, SandboxBackend

CACHES = ("roots", "rootfs", "tools")
"""Folders of the state folder that are kept on purpose, whatever sandboxes come and go."""


@dataclass(frozen=True, slots=True)
class Traces:
    """A sample between two batches, when every sandbox of a batch has been closed."""

    processes: int
    """Below the driver; those of other parents that still see the state folder are counted as well."""
    threads: int
    """Of the driver."""
    mounts: int
    """That name the state folder, as the driver sees them."""
    groups: int
    """Control groups of sandboxes of this batch."""
    containers: int
    """That this driver made, those that wait in its pool left out."""
    volumes: int
    """That this driver made."""
    descriptors: int
    """Open in the driver."""
    files: int
    """Entries of the state folder and of the folder for temporary files, caches left out."""
    rss_mib: float
    """Of the driver."""


COUNTS = tuple(each.name for each in fields(Traces) if each.name != "rss_mib")


def temporary_files_in(folder: Path) -> None:
    """From here on all temporary files of this process, and of what it starts, lie in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None


def groups_of(sandbox: Sandbox) -> list[Path]:
    """Folders of its control groups."""
    peer: Any = sandbox._peer  # type: ignore[attr-defined]
    if group := getattr(peer, "group", None):
        return list(group._folders)
    name = getattr(peer, "id", "")
    return [folder / "docker" / name for folder in Path("/sys/fs/cgroup").glob("*") if name]


def sample(backend: SandboxBackend, groups: Iterable[Path], pooled: int) -> Traces:
    """`groups`: control groups that the batch's sandboxes had. `pooled`: sandboxes that wait in a pool."""
    gc.collect()
    return Traces(
        processes=len({*descendants(os.getpid())[1:], *_foreign()}),
        threads=threading.active_count(),
        mounts=_mounts("self"),
        groups=sum(path.exists() for path in groups),
        containers=len(backend.leftovers()) - pooled if backend.name == "docker" else 0,
        volumes=_volumes() if backend.name == "docker" else 0,
        descriptors=len(os.listdir("/proc/self/fd")),
        files=sum(_entries(path) for path in home().iterdir() if path.name not in CACHES),
        rss_mib=round(rss_mib(), 2),
    )


def _mounts(pid: str) -> int:
    try:
        return Path(f"/proc/{pid}/mountinfo").read_text().count(home().name)
    except OSError:
        return 0


def _foreign() -> list[int]:
    """Processes in other mount namespaces that show something of the state folder: what is in one of our sandboxes."""
    own = os.stat("/proc/self/ns/mnt").st_ino
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            other = os.stat(f"/proc/{name}/ns/mnt").st_ino != own
        except OSError:
            continue
        if other and _mounts(name):
            found.append(int(name))
    return found


def _volumes() -> int:
    from swesmith_gym.sandboxes.docker.engine import OWNER, engine, ours

    listed = engine().ask(lambda api: api.volumes(filters={"label": OWNER}))["Volumes"] or []
    return sum(ours(each["Labels"].get(OWNER, "")) for each in listed)


def _entries(path: Path) -> int:
    if path.is_symlink() or not path.is_dir():
        return 1
    return 1 + sum(len(folders) + len(files) for _, folders, files in os.walk(path))
