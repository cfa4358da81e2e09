"""Episode folders below `HOME/run`: one per sandbox, removed on close, or by the next driver when theirs has died."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from pathlib import Path

from swesmith_gym.home import home

_OWNER = "owner"
_MAKING_S = 3600.0


def make_run(uid: int) -> Path:
    """A fresh folder with `upper` and `work` inside that belong to `uid`. Raises: OSError."""
    folder = home() / "run" / secrets.token_hex(8)
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    claim(folder)
    for name in ("upper", "work"):
        path = folder / name
        path.mkdir(mode=0o755)
        if os.geteuid() == 0:
            os.chown(path, uid, uid)
    return folder


def claim(folder: Path) -> None:
    """Note in a folder below `HOME/run` that it belongs to this process and goes after its end. Raises: OSError."""
    (folder / _OWNER).write_text(_identity(os.getpid()))


def _identity(pid: int) -> str:
    """Process id and start time: an id that was given out again is another process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return f"{pid} {fields[19]}"


def stale_runs() -> list[Path]:
    """Folders whose driver is not alive any more. A fresh folder without an owner is just being made."""
    found = []
    for folder in (home() / "run").glob("*"):
        try:
            owner = (folder / _OWNER).read_text()
        except OSError:
            owner = ""
        try:
            known = bool(owner) or time.time() - folder.stat().st_mtime > _MAKING_S
        except OSError:
            continue  # removed meanwhile
        if known and _identity(int(owner.partition(" ")[0] or 0)) != (owner or "nobody"):
            found.append(folder)
    return found


def remove_tree(folder: Path) -> None:
    """Delete a folder whatever modes and depth it was left with. Never raises; what cannot be removed stays."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except (OSError, RecursionError):
        _flatten(folder)


def _flatten(folder: Path) -> None:
    """Delete level by level: each folder's folders move up to the top, so that no path is ever too long.

    A folder may hold no rights for its owner (overlay work folders do): they are given back first.
    """
    moved = 0
    with contextlib.suppress(OSError):
        folder.chmod(0o700)
        while children := list(os.scandir(folder)):
            for child in children:
                if not child.is_dir(follow_symlinks=False):
                    os.unlink(child)
                    continue
                os.chmod(child, 0o700)
                for inner in list(os.scandir(child)):
                    if inner.is_dir(follow_symlinks=False):
                        os.chmod(inner, 0o700)
                        moved += 1
                        os.rename(inner, folder / f".moved-{os.getpid()}-{moved}")
                    else:
                        os.unlink(inner)
                os.rmdir(child)
        folder.rmdir()
