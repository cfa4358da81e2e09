"""Arranging one sandbox in a place that is its own or that others use before and after it, and taking it away again.

    STORE/ID        the content of a folder of the driver's, by its content id; the program of process 1 is one. Others
                    than those that are shown are closed: the tree of another sandbox may be what this one looks for
    STORE/in/       what is on its way here
    STORE/run/      the keeper's socket, and frames on their way
    STORE/lock      held by the keeper: a place has one sandbox at a time
    STORE/made.json what was made for the sandbox outside of the store, to be taken away after it

A read-only folder is shown by a link to its content; the work tree and folders that are written are copies. What was
there before and is somebody else's is left alone, unless the whole place was made for the sandbox.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat

from .folders import ID_LENGTH, digest, entries, remove

TYPE_CHECKING = False  # importing typing would take half of the start-up time
if TYPE_CHECKING:
    from typing import Any

KEPT = 24
"""Folders that stay in the store for later sandboxes, those used last."""
_SHARED = ("/tmp", "/var/tmp", "/dev/shm")
"""Where every user may write: what the sandbox's user left there goes."""


class Refused(Exception):
    """The place will not do; the text says why, and what would."""


class Place:
    """Where one sandbox is arranged. Made before its keeper, which takes the arrangement away at the end."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.store: str = plan["store"]
        self.socket = f"{self.store}/run/socket"
        self._plan = plan
        self._made: list[list[str]] = []
        self._user = -1
        self._lock = -1

    def lock(self) -> None:
        """Held as long as this process, or one that it forks, lives. Takes away what a keeper that was killed left."""
        os.makedirs(self.store, exist_ok=True)
        self._lock = os.open(f"{self.store}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("busy") from None
        if os.path.exists(f"{self.store}/made.json"):
            with open(f"{self.store}/made.json") as file:
                self._made = json.load(file)
            self.undo()

    def missing(self, *, trusted: bool) -> list[str]:
        """Ids of folders that have to come from the driver. Not `trusted`: code inside may have changed the store."""
        shown = {path: each for path, each in self._plan["shown"].items() if not _same(path, each)}
        self._plan["shown"] = shown
        wanted = sorted({*shown.values(), *self._plan["copied"].values()})
        if not trusted:
            for path in (f"{self.store}/{each}" for each in wanted):
                if os.path.isdir(path) and digest(path) != os.path.basename(path):
                    remove(path)
        return [each for each in wanted if not os.path.isdir(f"{self.store}/{each}")]

    def arrange(self, user: int) -> None:
        """`user`: whose the writable folders are; -1: ours. Raises: Refused."""
        self._user = user
        try:
            self._prune()
            shutil.rmtree(f"{self.store}/run", ignore_errors=True)
            os.mkdir(f"{self.store}/run", 0o700)
            for path, each in self._plan["copied"].items():
                self._copy(path, f"{self.store}/{each}")
            self._copy(self._plan["home"], "")
            for path, each in self._plan["shown"].items():
                self._link(path, f"{self.store}/{each}")
            for path, target in self._plan["links"].items():
                self._link(path, target)
            self._clean()
            self._name_user()
        except PermissionError as error:
            self.undo()
            raise Refused(
                f"the user that SWE-ReX's server runs as there may not write {error.filename}: run the server as root"
            ) from None
        except OSError as error:
            self.undo()
            raise Refused(f"{error.filename or 'the place'}: {error.strerror or error}") from None
        except Refused:
            self.undo()
            raise

    def undo(self) -> None:
        """Take away what was made outside of the store. Never raises."""
        for kind, path in reversed(self._made):
            try:
                if kind == "link":
                    os.unlink(path)
                elif kind == "emptied":
                    _empty(path)
                elif kind == "folder":
                    remove(path)
                else:
                    os.rmdir(path)
            except OSError:
                continue  # somebody has put something there, or has taken it away
        self._made = []
        self._clean()
        for path in (f"{self.store}/made.json", self.socket):
            if os.path.lexists(path):
                os.unlink(path)

    def release(self) -> None:
        """The next sandbox may be arranged."""
        os.close(self._lock)

    def _note(self, kind: str, path: str) -> None:
        """Before it is made, so that nothing is ever forgotten."""
        self._made.append([kind, path])
        with open(f"{self.store}/made.json", "w") as file:
            json.dump(self._made, file)

    def _parents(self, path: str) -> None:
        parent = os.path.dirname(path)
        if not os.path.isdir(parent):
            self._parents(parent)
            self._note("parent", parent)
            os.mkdir(parent)

    def _copy(self, path: str, source: str) -> None:
        """A folder of the sandbox's user that holds what `source` holds; none: nothing."""
        self._parents(path)
        if os.path.lexists(path):
            if not os.path.isdir(path) or os.path.islink(path):
                raise Refused(f"{path} is there already and is no folder")
            if os.listdir(path) and (os.path.ismount(path) or not self._plan["alone"]):
                raise Refused(f"{path} is there already and is not empty: it is somebody else's")
            self._note("emptied", path)
            _empty(path)
        else:
            self._note("folder", path)
            os.mkdir(path)
        if source:
            shutil.copytree(source, path, symlinks=True, dirs_exist_ok=True)
        if self._user >= 0:
            os.chown(path, self._user, self._user)
            for each, _, _ in entries(path):
                os.chown(each, self._user, self._user, follow_symlinks=False)

    def _link(self, path: str, target: str) -> None:
        if os.path.islink(path) and os.readlink(path) == target:
            return
        self._parents(path)
        if os.path.isdir(path) and not os.path.islink(path) and not os.listdir(path):
            os.rmdir(path)
        if os.path.lexists(path):
            raise Refused(f"{path} is there already: it is somebody else's")
        self._note("link", path)
        os.symlink(target, path)

    def _clean(self) -> None:
        """Where everybody may write, nothing of the sandbox's user is left; a place made for it starts empty."""
        if self._user < 0:
            return
        for folder in filter(os.path.isdir, _SHARED):
            for name in os.listdir(folder):
                path = os.path.join(folder, name)
                try:
                    state = os.lstat(path)
                    mounted = state.st_dev != os.stat(folder).st_dev
                    if state.st_uid == self._user or (self._plan["alone"] and not mounted):
                        remove(path)
                except OSError:
                    continue  # has gone by itself

    def _name_user(self) -> None:
        if not self._plan["alone"] or self._user < 0:
            return
        try:
            with open("/etc/passwd", "r+") as file:
                if not any(line.split(":")[2:3] == [str(self._user)] for line in file):
                    file.write(f"agent:x:{self._user}:{self._user}:agent:{self._plan['home']}:/bin/bash\n")
        except OSError:
            return  # nobody there has a name

    def _prune(self) -> None:
        """Folders that were not used for long go, and what never arrived as a whole."""
        used = {*self._plan["shown"].values(), *self._plan["copied"].values(), self._plan["program"]}
        for each in used:
            os.utime(f"{self.store}/{each}")
        known = [name for name in os.listdir(self.store) if len(name) == ID_LENGTH]
        known.sort(key=lambda name: os.stat(f"{self.store}/{name}").st_mtime_ns, reverse=True)
        for name in known[KEPT:]:
            remove(f"{self.store}/{name}")
        shutil.rmtree(f"{self.store}/in", ignore_errors=True)
        os.mkdir(f"{self.store}/in", 0o700)
        for name in known[:KEPT]:
            is_open = name in self._plan["shown"].values() or name == self._plan["program"]
            os.chmod(f"{self.store}/{name}", 0o755 if is_open else 0o700)


def _same(path: str, wanted: str) -> bool:
    """A real folder is there already, with that very content: of an image that was made with it."""
    try:
        return os.path.isdir(path) and not os.path.islink(path) and bool(os.listdir(path)) and digest(path) == wanted
    except OSError:
        return False


def _empty(path: str) -> None:
    """Delete what a folder holds. Raises: OSError."""
    state = os.stat(path)
    remove(path)
    if not os.path.isdir(path):
        os.mkdir(path)
        os.chmod(path, stat.S_IMODE(state.st_mode))
        os.chown(path, state.st_uid, state.st_gid)
