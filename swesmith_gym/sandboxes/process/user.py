"""The user that a sandbox without namespaces runs as: a dedicated one where the driver is root, else the driver's own.

It is not the user of the other backends: what is left of a sandbox is ended by ending every process of this user, and
theirs must go on. Started by an ordinary user, code inside is that user: only Landlock keeps it from the user's other
processes and files, and nothing from sockets and terminals that the user may use.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
import subprocess
from functools import cache
from pathlib import Path

from swesmith_gym.errors import SandboxUnavailable

USER = "swesmith-gym-process"
DEFAULT_UID = 64739
_SHARED = ("/tmp", "/var/tmp", "/dev/shm")
"""Folders of the machine that every user may write to."""


def dedicated() -> bool:
    """The sandbox's user is not the driver's."""
    return os.geteuid() == 0


def sandbox_uid() -> int:
    """The user of what runs inside."""
    if not dedicated():
        return os.geteuid()
    try:
        return pwd.getpwnam(USER).pw_uid
    except KeyError:
        return DEFAULT_UID


@cache
def check_switch(uid: int) -> None:
    """Root may go over to that user: it may not in a container that drops all rights. Raises: SandboxUnavailable."""
    try:
        subprocess.run(["/bin/true"], user=uid, group=uid, extra_groups=[], check=True, cwd="/")
    except (OSError, subprocess.SubprocessError) as error:
        raise SandboxUnavailable(
            f"root may not start a program as user {uid} here: {error}",
            fix="give the container the capabilities SETUID, SETGID and CHOWN, which are Docker's default",
        ) from None


def kill_all(uid: int) -> None:
    """End every process of the dedicated user; those of an ordinary user are never touched."""
    if not dedicated() or uid == 0:
        return
    with contextlib.suppress(OSError):  # too many processes, say: theirs are ended one by one then
        subprocess.run(
            ["/bin/sh", "-c", "kill -s KILL -- -1"], user=uid, group=uid, extra_groups=[], check=False, cwd="/"
        )


def processes_of(uid: int) -> list[int]:
    """Process ids of a user, those that have ended and are not waited for left out."""
    return [pid for pid, _ in _known(uid)]


def threads_of(uid: int) -> int:
    """Processes and threads of a user, as the kernel counts them for a limit."""
    return sum(threads for _, threads in _known(uid))


def _known(uid: int) -> list[tuple[int, int]]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, KeyError, IndexError):
            lines = Path("/proc", name, "status").read_text(errors="replace").splitlines()
            facts = {key: value.split() for key, _, value in (line.partition(":") for line in lines)}
            if int(facts["Uid"][0]) == uid and facts["State"][0] != "Z":
                found.append((int(name), int(facts["Threads"][0])))
    return found


def shared_files(uid: int) -> set[str]:
    """What the dedicated user has in folders of the machine that all users share.

    Of an ordinary user it cannot be told what is a sandbox's: nothing.
    """
    found = set()
    for folder in _SHARED if dedicated() else ():
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid == uid:
                        found.add(entry.path)
    return found


def give(folder: Path, uid: int) -> None:
    """Make a folder, and all below it, a user's. Links are not followed. Only root can; for others nothing is to do.

    A file with more names than one stays whose it is, unless it is the sandbox's: the other name may be anywhere.
    """
    if os.geteuid() != 0:
        return
    os.chown(folder, uid, uid, follow_symlinks=False)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(parent, name)
            found = os.lstat(path)
            if found.st_nlink == 1 or stat.S_ISDIR(found.st_mode) or found.st_uid == sandbox_uid():
                os.chown(path, uid, uid, follow_symlinks=False)
