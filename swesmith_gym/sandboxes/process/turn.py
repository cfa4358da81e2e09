"""The machine's one turn: who holds it may have a sandbox of this backend open, and has noted what that consists of.

A file beside the places, locked while a sandbox is open. It holds the record of what was made, so that whoever comes
next removes what a driver that was killed has left; after an orderly end it is gone. It protects against accidents: a
program that may write to `/opt` can do without it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

from swesmith_gym.errors import SandboxDied, SandboxUnavailable
from swesmith_gym.sandboxes import cgroups
from swesmith_gym.sandboxes.process import user
from swesmith_gym.sandboxes.process.places import KINDS, Place, Shown, remove

FILE = Path("/opt/.swesmith-gym-process")
WAIT_S = 60.0
"""How long a start waits for another sandbox to be closed."""
_POLL_S = 0.02


class Turn:
    """Taken by `take`, given back once or many times by `end`, which also undoes what was made. Not thread-safe."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.group = ""
        """Name of the sandbox's control group."""
        self._places: list[Place] = []
        self._kept: set[str] = set()
        self._ended = False

    def make(self, places: Iterable[Place], group: str) -> None:
        """Note the places and the control group of a sandbox, and what its user has had before, then make the places.

        Raises: OSError, SandboxUnavailable.
        """
        self._places, self.group = list(places), group
        self._kept = user.shared_files(user.sandbox_uid())
        noted = [[type(place).__name__, place.target, place.source] for place in self._places]
        self._note({"pid": os.getpid(), "group": group, "places": noted, "kept": sorted(self._kept)})
        for place in self._places:
            place.make()

    def writable(self) -> list[str]:
        """The sandbox's own folders."""
        return [place.target for place in self._places if place.writable]

    def readable(self) -> list[Path]:
        """Host folders that it is shown, wherever they lie."""
        shown = [place for place in self._places if isinstance(place, Shown)]
        return [*(Path(place.target) for place in shown), *(Path(place.source).resolve() for place in shown)]

    def _note(self, record: object) -> None:
        data = json.dumps(record).encode()
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, data, 0)

    def clean(self) -> None:
        """Undo what the record of a driver that was killed names. Raises: SandboxUnavailable, OSError."""
        size = os.fstat(self.descriptor).st_size
        if not size:
            return
        try:
            record = json.loads(os.pread(self.descriptor, size, 0))
            self._places = [KINDS[kind](target, source) for kind, target, source in record["places"]]
            self._kept = set(record["kept"])
            self.group = str(record["group"])
        except (ValueError, KeyError, TypeError):
            raise SandboxUnavailable(f"{FILE} is damaged: a sandbox left it", fix=f"rm {FILE}") from None
        self._undo()
        os.ftruncate(self.descriptor, 0)

    def _undo(self) -> None:
        """Processes first, so that nothing changes any more what is removed. Raises: OSError."""
        uid = user.sandbox_uid()
        user.kill_all(uid)
        for place in reversed(self._places):
            place.remove()
        if self._places:
            for path in user.shared_files(uid) - self._kept:
                remove(path)
        if self.group:
            cgroups.remove_stale(self.group)
        self._places, self.group = [], ""

    def end(self) -> None:
        """Never raises: what could not be undone stays in the record, and the next start tries again."""
        if self._ended:
            return
        self._ended = True
        try:
            self._undo()
            FILE.unlink()
        except OSError:
            pass
        finally:
            with contextlib.suppress(OSError):
                fcntl.flock(self.descriptor, fcntl.LOCK_UN)  # at once, though a forked process may hold it open
            os.close(self.descriptor)


def take(wait_s: float) -> Turn:
    """The turn, when nobody else has it. Raises: SandboxDied (somebody has, all the time), SandboxUnavailable."""
    deadline = time.monotonic() + wait_s
    while True:
        if found := _try():
            return found
        if time.monotonic() >= deadline:
            raise SandboxDied(
                f"only one sandbox of the process backend can be open on a machine, and process {holder() or '?'} "
                f"has had one open for all of {wait_s:g} s"
            )
        time.sleep(_POLL_S)  # a lock cannot be waited for with a limit


def _try() -> Turn | None:
    descriptor = _open()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), os.stat(FILE)):
            kept, descriptor = descriptor, -1
            return Turn(kept)
    except (BlockingIOError, FileNotFoundError):
        pass  # held, or removed by the one who held it
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    return None


def _open() -> int:
    """Raises: SandboxUnavailable."""
    try:
        FILE.parent.mkdir(exist_ok=True)
        descriptor = os.open(FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise SandboxUnavailable(f"{FILE} cannot be opened: {error.strerror}", fix=f"rm {FILE}, as root") from None
    if os.fstat(descriptor).st_uid != os.geteuid():
        os.close(descriptor)
        raise SandboxUnavailable(f"{FILE} belongs to another user, who may have a sandbox open", fix=f"rm {FILE}")
    return descriptor


def holder() -> int:
    """Process id of the driver that has noted a sandbox; 0: none has, or it is just being noted."""
    try:
        return int(json.loads(FILE.read_bytes())["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0
