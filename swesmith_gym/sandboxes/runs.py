"""Episode folders below `HOME/run`: one per sandbox, removed on close, or by the next driver when theirs has died."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from pathlib import Path

from swesmith_gym.home import home

_OWNER = "owner"


def make_run(uid: int) -> Path:
    """A fresh folder with `upper` and `work` inside that belong to `uid`. Raises: OSError."""
    folder = home() / "run" / secrets.token_hex(8)
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    (folder / _OWNER).write_text(_identity(os.getpid()))
    for name in ("upper", "work"):
        path = folder / name
        path.mkdir(mode=0o755)
        if os.geteuid() == 0:
            os.chown(path, uid, uid)
    return folder


def _identity(pid: int) -> str:
    """Process id and start time: an id that was given out again is another process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return f"{pid} {fields[19]}"


def stale_runs() -> list[Path]:
    """Folders whose driver is not alive any more. A folder without an owner yet is being made."""
    found = []
    for folder in (home() / "run").glob("*"):
        try:
            owner = (folder / _OWNER).read_text()
        except OSError:
            continue
        if owner and _identity(int(owner.split()[0])) != owner:
            found.append(folder)
    return found


def remove_tree(folder: Path) -> None:
    """Delete a folder whatever modes it was left with. Never raises; what cannot be removed stays."""
    shutil.rmtree(folder, onerror=_open_up)


def _open_up(_function: object, path: str, _error: object) -> None:
    """A folder may hold no rights for its owner (overlay work folders do): give them back and go on."""
    for name in (os.path.dirname(path), path):
        try:
            found = os.lstat(name)
            if stat.S_ISDIR(found.st_mode) and found.st_uid in (os.geteuid(), 0):
                os.chmod(name, 0o700)
        except OSError:
            continue
    try:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            shutil.rmtree(path, onerror=lambda *_: None)
        else:
            os.unlink(path)
    except OSError:
        return
