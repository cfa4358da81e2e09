"""Started by root: a host user without rights for what runs inside, and folders that this user can reach.

A sandbox that maps its user to root on the host protects nothing, so everything is started as a dedicated user.
State and interpreter may lie below folders that this user may not enter (`/root`). A private mount namespace shows
those folders at a place of its own; the host's mounts stay as they are, and the namespace ends with the driver.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import threading
from pathlib import Path

from swesmith_gym.errors import SandboxUnavailable

USER = "swesmith-gym"
DEFAULT_UID = 64738
STAGE = "/run/swesmith-gym"


def host_uid() -> int:
    """The host user that sandboxes run as: ours, or the dedicated one when we are root."""
    if os.geteuid() != 0:
        return os.geteuid()
    try:
        return pwd.getpwnam(USER).pw_uid
    except KeyError:
        return DEFAULT_UID


def reachable(folder: Path, uid: int) -> bool:
    """The user may pass through the folder."""
    found = folder.stat()
    return bool(found.st_mode & (stat.S_IXUSR if found.st_uid == uid else stat.S_IXOTH))


def below_barrier(path: Path, uid: int) -> Path | None:
    """The uppermost folder of `path` below every one that the user may not enter; None: no barrier above it."""
    found = None
    for parent in reversed(path.parents):
        if not reachable(parent, uid):
            found = parent / path.relative_to(parent).parts[0]
    return found


def _hold() -> subprocess.Popen[bytes]:
    """A process that keeps a fresh mount namespace until its standard input ends."""
    script = f"mount -t tmpfs -o mode=755,size=1m stage {STAGE} && echo ready && exec cat"
    return subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


class Stage:
    """The private mount namespace of one driver process. Thread-safe; lives until `close` or the driver's end."""

    def __init__(self, uid: int) -> None:
        self.uid = uid
        self._lock = threading.Lock()
        self._shown: dict[Path, str] = {}
        self._count = 0
        try:
            Path(STAGE).mkdir(mode=0o755, exist_ok=True)
            self._holder = _hold()
        except OSError as error:
            raise SandboxUnavailable(
                f"as root, a sandbox needs {STAGE} and the commands unshare, nsenter and mount: {error}",
                fix="apt-get install util-linux mount, or run as an ordinary user",
            ) from None
        assert self._holder.stdout is not None
        assert self._holder.stderr is not None
        if self._holder.stdout.readline() != b"ready\n":
            reason = self._holder.stderr.read().decode(errors="replace").strip()
            raise SandboxUnavailable(
                f"root may not make a mount namespace here: {reason}",
                fix="run as an ordinary user, or give the container CAP_SYS_ADMIN (docker run --privileged)",
            )

    def close(self) -> None:
        """End the namespace. Sandboxes that run keep theirs."""
        if self._holder.stdin:
            self._holder.stdin.close()
        self._holder.wait()
        for stream in (self._holder.stdout, self._holder.stderr):
            if stream:
                stream.close()

    @property
    def alive(self) -> bool:
        """Nobody has ended the process that holds the namespace."""
        return self._holder.poll() is None

    def command(self) -> list[str]:
        """What to put in front of a command so that it runs in the namespace, as the user."""
        uid = str(self.uid)
        return ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "--setgid", uid, "--setuid", uid, "--"]

    def path(self, source: Path) -> str:
        """Where the user finds a host path. Raises: OSError (it does not exist)."""
        source = source.resolve(strict=True)
        barrier = below_barrier(source, self.uid)
        if barrier is None:
            return str(source)
        with self._lock:
            target = self._shown.get(barrier)
            if target is None or not self._shows(target, barrier):
                target = self._shown[barrier] = self._show(barrier)
            return str(Path(target) / source.relative_to(barrier))

    def _shows(self, target: str, barrier: Path) -> bool:
        """A folder that was removed and made again under its old name has to be shown again."""
        try:
            return os.path.samestat(os.stat(f"/proc/{self._holder.pid}/root{target}"), barrier.stat())
        except OSError:
            return False

    def _show(self, barrier: Path) -> str:
        self._count += 1
        target = f"{STAGE}/{self._count}"
        make = "mkdir" if barrier.is_dir() else "touch"
        script = f'{make} "$1" && mount --rbind "$0" "$1"'
        enter = ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "--", "sh", "-c", script, str(barrier), target]
        done = subprocess.run(enter, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SandboxUnavailable(f"cannot show {barrier} to user {self.uid}: {done.stderr.strip()}")
        return target


_stages: dict[int, Stage] = {}
_stages_lock = threading.Lock()


def stage() -> Stage:
    """The stage of this process: one for all its sandboxes, made on first use; a forked process makes its own."""
    with _stages_lock:
        found = _stages.get(os.getpid())
        if found is None or not found.alive or found.uid != host_uid():
            found = _stages[os.getpid()] = Stage(host_uid())
        return found
