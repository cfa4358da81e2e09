"""The paths of a sandbox made real on the machine, each in a way that can be undone, by another driver as well.

A place is made where nothing is, so that what lies there later is the sandbox's. Content comes through process 1, or
here through `copies`; who may write to a place is the business of its owner and modes, and of Landlock.
"""

from __future__ import annotations

import contextlib
import errno
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from swesmith_gym.errors import SandboxUnavailable
from swesmith_gym.sandboxes import program, rootfs, roots
from swesmith_gym.sandboxes.base import MAX_TREE_BYTES, WORKDIR, SandboxSpec
from swesmith_gym.sandboxes.inside import trees
from swesmith_gym.sandboxes.process.copies import copy, fits
from swesmith_gym.sandboxes.process.user import dedicated, give, sandbox_uid
from swesmith_gym.sandboxes.runs import remove_tree
from swesmith_gym.sandboxes.settings import proxy_socket
from swesmith_gym.sandboxes.staging import below_barrier

TMP = "/opt/sandbox-tmp"
"""What `TMPDIR` names: the machine's own `/tmp` is everybody's."""
INDEX = "/opt/sandbox-index"
"""The socket of the proxy to the package index."""
_OTHER_HOME = "/opt/sandbox-home"


def home_inside() -> str:
    """The sandbox's home: the usual one where this user can make it."""
    return rootfs.HOME if os.access("/home", os.W_OK) or not os.path.lexists("/home") else _OTHER_HOME


@dataclass(frozen=True, slots=True)
class Place(ABC):
    """One path of the sandbox. `make` and `remove` may be repeated; `remove` is fine where nothing was made."""

    target: str
    source: str = ""
    """What it shows, where it shows anything of the host."""

    @property
    def writable(self) -> bool:
        """Code inside may write there."""
        return False

    @abstractmethod
    def make(self) -> None:
        """Raises: OSError."""

    def remove(self) -> None:
        """Raises: OSError."""
        remove(self.target)


class Parent(Place):
    """A folder above a place, where the machine has none. It goes when it is empty."""

    def make(self) -> None:
        _make_folder(self.target)

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            os.rmdir(self.target)


class Private(Place):
    """An empty folder of the sandbox's user."""

    @property
    def writable(self) -> bool:
        return True

    def make(self) -> None:
        _make_folder(self.target)
        give(Path(self.target), sandbox_uid())


class Link(Place):
    """A symbolic link."""

    def make(self) -> None:
        os.symlink(self.source, self.target)


class Shown(Place):
    """A host folder to read: a link to it, or a copy where the user cannot reach it, or could change it."""

    def make(self) -> None:
        source = Path(self.source).resolve(strict=True)
        if fits(source, sandbox_uid()):
            os.symlink(source, self.target)
        else:
            copy(source, Path(self.target), sandbox_uid())


class Door(Place):
    """A socket of the driver's. Where the user cannot reach it, a second name for it that this user can."""

    def make(self) -> None:
        if not dedicated() or below_barrier(Path(self.source), sandbox_uid()) is None:
            os.symlink(self.source, self.target)
            return
        try:
            os.link(self.source, self.target)
        except OSError as error:
            raise SandboxUnavailable(
                f"the sandbox's user cannot reach {self.source}, nor can it be shown elsewhere: {error.strerror}",
                fix="export SWESMITH_GYM_HOME=FOLDER_THAT_EVERY_USER_MAY_ENTER",
            ) from None


class Lent(Place):
    """A host folder that is written: it moves here, and back at the end, so that its path inside is the real one.

    Meanwhile a link stands in its old place. From another file system it is copied, and copied back.
    """

    @property
    def writable(self) -> bool:
        return True

    def make(self) -> None:
        try:
            os.rename(self.source, self.target)
            os.symlink(self.target, self.source)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            content = trees.pack(self.source, MAX_TREE_BYTES)
            _make_folder(self.target)
            trees.unpack(self.target, content)
        give(Path(self.target), sandbox_uid())

    def remove(self) -> None:
        if os.path.islink(self.target) or not os.path.isdir(self.target):
            return
        if os.path.islink(self.source):
            os.unlink(self.source)
        if not os.path.lexists(self.source) and os.path.isdir(os.path.dirname(self.source)):
            os.rename(self.target, self.source)
        elif os.path.isdir(self.source):
            trees.unpack(self.source, trees.pack(self.target, MAX_TREE_BYTES))
            give(Path(self.source), sandbox_uid())
        remove_tree(Path(self.target))


KINDS: dict[str, type[Place]] = {kind.__name__: kind for kind in (Parent, Private, Link, Shown, Door, Lent)}


def wanted(spec: SandboxSpec) -> list[Place]:
    """Every place of a sandbox of this spec, those above before those below. Raises: SandboxUnavailable, OSError."""
    places: list[Place] = [Lent(WORKDIR, str(spec.tree)) if spec.tree_writable else Private(WORKDIR)]
    places += [Private(TMP), Private(home_inside())]
    places += [(Lent if each.writable else Shown)(each.target, str(each.source)) for each in spec.mounts]
    places.append(Shown(program.TOOLS, str(program.folder(roots.HOST))))
    if prefix := program.interpreter(roots.HOST).prefix:
        places.append(Shown(program.INTERPRETER, str(prefix)))
    if spec.network == "index":
        places.append(Door(INDEX, str(proxy_socket(spec))))
    places += [Link(path, target) for path, target in _missing_links(spec)]
    for place in places:
        if place.source and not isinstance(place, Link):
            os.stat(place.source)
    _refuse_existing(places)
    return [*map(Parent, _missing_parents(places)), *places]


def remove(path: str) -> None:
    """Delete what is there, of whatever kind. Raises: OSError."""
    if os.path.isdir(path) and not os.path.islink(path):
        remove_tree(Path(path))
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _make_folder(path: str) -> None:
    os.mkdir(path)
    os.chmod(path, 0o755)  # whatever the umask


def _missing_links(spec: SandboxSpec) -> Iterator[tuple[str, str]]:
    """A link to a mount is not needed where the machine has the folder itself under that name."""
    sources = {mount.target: mount.source for mount in spec.mounts}
    for path, target in spec.links.items():
        if not (os.path.exists(path) and target in sources and os.path.samefile(path, sources[target])):
            yield path, target


def _refuse_existing(places: Iterable[Place]) -> None:
    found = sorted(place.target for place in places if os.path.lexists(place.target))
    if found:
        names = " ".join(found)
        raise SandboxUnavailable(
            f"{names}: exists already and is not a sandbox's; the process backend needs these paths for itself",
            fix=f"move or remove {names}, or use another --sandbox",
        )


def _missing_parents(places: Iterable[Place]) -> list[str]:
    made = {place.target for place in places}
    above = {str(parent) for place in places for parent in Path(place.target).parents}
    return sorted(path for path in above - made if not os.path.lexists(path))
