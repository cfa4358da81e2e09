"""Which files and ports a sandbox without namespaces may use, as rules for the kernel's Landlock.

Written is only what belongs to the sandbox; read is everything but the places where answers and secrets lie: the state
folder, the driver's home, its working folder and this package, whose task tables hold the patches.

Not covered by Landlock: names of files (folders can be listed wherever their modes allow it), modes, owners and times
of files that belong to the sandbox's own user, named Unix sockets, and UDP. Where the kernel has none, only users and
modes protect files. Source: linux/landlock.h, Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from swesmith_gym.home import home
from swesmith_gym.sandboxes import rootfs
from swesmith_gym.sandboxes.base import Network
from swesmith_gym.sandboxes.process.guard.confine import CREATE_RULESET

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_FIRST, _MAKE_CHAR, _MAKE_BLOCK = (1 << 13) - 1, 1 << 6, 1 << 11
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_SINCE = {2: _REFER, 3: _TRUNCATE, 5: _IOCTL}
"""Rights over files by the version that brought them."""
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_PORTS_SINCE = 4
_ABSTRACT_SOCKETS, _SIGNALS = 1 << 0, 1 << 1
SCOPES_SINCE = 6
_ASK_VERSION = 1
_SYSTEM = tuple(map(Path, ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/dev", "/proc", "/sys")))
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/shm", "/proc")
_TERMINALS = ("/dev/ptmx", "/dev/pts", "/dev/tty")


@cache
def version() -> int:
    """Of the kernel's Landlock; 0: it has none, or it is switched off."""
    libc = ctypes.CDLL(None, use_errno=True)
    return max(int(libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)), 0)


def rules(
    writable: Iterable[str], readable: Iterable[Path], covered: Iterable[Path], *, network: Network, own_user: bool
) -> dict[str, Any] | None:
    """What `guard.confine.restrict` puts in force; None: there is no Landlock.

    `writable`: the sandbox's own folders. `readable`: folders to be read wherever they lie. `covered`: not to be read,
    wherever they lie. `own_user`: inside runs a user that is not the driver's, so that terminals can be shown.
    """
    found = version()
    if not found:
        return None
    handled = _FIRST | sum(right for since, right in _SINCE.items() if found >= since)
    everything = handled & ~(_MAKE_CHAR | _MAKE_BLOCK)
    reading = EXECUTE | READ_FILE | READ_DIR
    files = READ_DIR | READ_FILE | WRITE_FILE | (handled & (_TRUNCATE | _IOCTL))
    closed = {path.resolve() for path in covered}
    tops = {path.resolve() for path in readable}
    shown = [*open_places(hidden() | closed), *(each for top in tops for each in open_places(closed, top))]
    paths = [("/", READ_DIR), *((str(path), reading) for path in shown)]
    paths += [(path, everything) for path in (*writable, "/dev/shm")]
    paths += [(path, files) for path in (*_DEVICES, *(_TERMINALS if own_user else ()))]
    tcp = 0 if network == "full" or found < _PORTS_SINCE else _BIND_TCP | _CONNECT_TCP
    ports = [(rootfs.INDEX_PORT, tcp)] if tcp and network == "index" else []
    scopes = _ABSTRACT_SOCKETS | _SIGNALS if found >= SCOPES_SINCE else 0
    masks = [handled, tcp, scopes][: 1 + (found >= _PORTS_SINCE) + (found >= SCOPES_SINCE)]
    return {"handled": masks, "paths": paths, "ports": ports}


def hidden() -> set[Path]:
    """Folders whose content is not for code inside, nothing that every program needs among them."""
    package = Path(__file__).resolve().parents[2]
    return {path for path in (Path(each).resolve() for each in _own_folders()) if _apart(path)} | {package}


def _own_folders() -> Iterator[str]:
    yield str(home())
    yield os.path.expanduser("~")
    with contextlib.suppress(KeyError):  # a user without an entry
        yield pwd.getpwuid(os.geteuid()).pw_dir
    with contextlib.suppress(OSError):  # it is gone
        yield os.getcwd()


def _apart(path: Path) -> bool:
    """Neither in a folder of the system nor above one."""
    return all(each not in (path, *path.parents) and path not in each.parents for each in _SYSTEM)


def open_places(closed: set[Path], top: Path = Path("/")) -> list[Path]:
    """The fewest paths that cover everything below `top` but `closed` and what is below it."""
    found = []
    pending = [top]
    while pending:
        place = pending.pop()
        if place in closed:
            continue
        if any(place in each.parents for each in closed):
            pending += _entries(place)
        else:
            found.append(place)
    return found


def _entries(folder: Path) -> list[Path]:
    """Links are left out: what they lead to is covered by its own path, if at all."""
    try:
        return [path for path in folder.iterdir() if not path.is_symlink()]
    except OSError:
        return []
