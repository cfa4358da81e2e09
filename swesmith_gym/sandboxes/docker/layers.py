"""Images: a root file system, what every sandbox needs on it, one repository's environment; each a layer, and shared.

    swesmith-gym/root:DIGEST   the portable root file system
    swesmith-gym/base:ID       the same with process 1's program, `/etc/passwd`, and the folders that a sandbox fills
    swesmith-gym/env:ID        the same with the read-only folders of a spec, in the order of the spec

A tag is the content id of all that the image is made of: one that is there is right, and equal folders are never sent
twice. The daemon's own builder makes them; no program of an image runs while it is made.
"""

from __future__ import annotations

import io
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from threading import Lock
from typing import IO, Any

from swesmith_gym.errors import SandboxUnavailable
from swesmith_gym.records import content_id
from swesmith_gym.sandboxes import covers, program, rootfs, roots
from swesmith_gym.sandboxes.base import WORKDIR, SandboxSpec
from swesmith_gym.sandboxes.docker.config import UID
from swesmith_gym.sandboxes.docker.engine import Engine, translated
from swesmith_gym.sandboxes.roots import RootFs

PREFIX = "swesmith-gym"
ENVIRONMENT = f"{PREFIX}.environment"
"""Label: content id of the environment that the image holds."""
ENV = "/opt/env"
WRITABLE = (WORKDIR, rootfs.HOME, ENV, "/opt/build", "/opt/bytecode")
"""Folders of the sandbox's user, in every image: a volume that is mounted on one takes its owner over."""
_ETC = ("passwd", "group", "nsswitch.conf", "host.conf", "shells")
_FOREIGN_TREE = b"[safe]\n\tdirectory = *\n"
"""Podman's folders in memory belong to root, and git does not work in those of others."""
_making = Lock()


class Context:
    """The archive that the daemon's builder gets: files, and the steps that copy them, one layer each."""

    def __init__(self, start: str, *, open_folders: bool = False) -> None:
        """`open_folders`: for every user, where they cannot be the sandbox's user's."""
        self._open = open_folders
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by whoever sends it)
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._steps = [f"FROM {start}"]

    def layer(self, source: Path, target: str) -> None:
        """The content of a host folder at `target`, owned by root."""
        name = f"layer{len(self._steps)}"
        self._add_folder(source, name)
        self._steps.append(f'COPY --chown=0:0 ["{name}/", "{target}"]')

    def files(self, files: Mapping[str, bytes], links: Mapping[str, str], folders: Iterable[str] = ()) -> None:
        """Single files, links and folders of the sandbox's user, by absolute path, as one layer."""
        name = f"layer{len(self._steps)}"
        made: set[str] = set()
        for path, data in files.items():
            self._parents(name, path, made)
            self._put(name + path, stat.S_IFREG | 0o644, data=data)
        for path, target in links.items():
            self._parents(name, path, made)
            self._put(name + path, stat.S_IFLNK | 0o777, link=target)
        for path in folders if self._open else ():
            self._parents(name, path, made)
            self._put(name + path, stat.S_IFDIR | 0o1777)
        self._steps.append(f'COPY --chown=0:0 ["{name}/", "/"]')
        for path in () if self._open else folders:
            empty = f"layer{len(self._steps)}"
            self._put(empty, stat.S_IFDIR | 0o755)
            self._steps.append(f'COPY --chown={UID}:{UID} ["{empty}/", "{path}/"]')

    def _parents(self, name: str, path: str, made: set[str]) -> None:
        for parent in reversed(Path(path).parents):
            if str(parent) not in made:
                made.add(str(parent))
                self._put(name + str(parent).rstrip("/"), stat.S_IFDIR | 0o755)

    def _add_folder(self, source: Path, name: str) -> None:
        self._put(name, stat.S_IFDIR | 0o755)
        for path, found in _entries(source):
            inside = f"{name}/{path.relative_to(source).as_posix()}"
            if stat.S_ISLNK(found.st_mode):
                self._put(inside, found.st_mode, link=os.readlink(path), mtime=found.st_mtime)
            elif stat.S_ISDIR(found.st_mode):
                self._put(inside, found.st_mode, mtime=found.st_mtime)
            elif stat.S_ISREG(found.st_mode):
                with path.open("rb") as data:
                    self._put(inside, found.st_mode, stream=data, size=found.st_size, mtime=found.st_mtime)

    def _put(
        self,
        name: str,
        mode: int,
        *,
        data: bytes = b"",
        link: str = "",
        stream: IO[bytes] | None = None,
        size: int = 0,
        mtime: float = 0.0,
    ) -> None:
        member = tarfile.TarInfo(name)
        member.mode, member.mtime, member.linkname = stat.S_IMODE(mode), mtime, link
        member.size = size if stream else len(data)
        kinds = {stat.S_IFDIR: tarfile.DIRTYPE, stat.S_IFLNK: tarfile.SYMTYPE}
        member.type = kinds.get(stat.S_IFMT(mode), tarfile.REGTYPE)
        self._tar.addfile(member, stream or io.BytesIO(data))

    def build(self, engine: Engine, tag: str, environment: str = "") -> None:
        """Make the image. Raises: SandboxUnavailable (names the step), SandboxDied."""
        self._put("Dockerfile", stat.S_IFREG | 0o644, data="\n".join(self._steps).encode())
        self._tar.close()
        self._file.seek(0)
        labels = {PREFIX: "image", **({ENVIRONMENT: environment} if environment else {})}
        with self._file, translated():
            options: dict[str, Any] = {"custom_context": True, "rm": True, "forcerm": True, "decode": True}
            for line in engine.api.build(fileobj=self._file, tag=tag, labels=labels, network_mode="none", **options):
                if "error" in line:
                    text = " ".join(str(line["error"]).split())
                    full = "no space left" in text
                    raise SandboxUnavailable(
                        f"the Docker daemon cannot make the image {tag}: {text}",
                        fix="docker system prune" if full else "swesmith-gym doctor",
                    )


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything below a folder, parents first, in the order of names."""
    for name in sorted(os.listdir(folder)):
        path = folder / name
        found = path.lstat()
        yield path, found
        if stat.S_ISDIR(found.st_mode):
            yield from _entries(path)


def digest(folder: Path) -> str:
    """Content id of a folder: names, modes, contents."""
    import hashlib

    found = []
    for path, state in _entries(folder):
        kind = stat.S_IFMT(state.st_mode)
        content = os.readlink(path) if kind == stat.S_IFLNK else ""
        if kind == stat.S_IFREG:
            with path.open("rb") as data:
                content = hashlib.file_digest(data, "sha256").hexdigest()
        found.append((os.fsencode(path.relative_to(folder)).hex(), state.st_mode, content))
    return content_id(found)


def _remove_image(name: str, api: Any) -> None:
    api.remove_image(name, force=True)


class Layers:
    """The images of one daemon. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._digests: dict[tuple[Path, int, int], str] = {}
        self._known: set[str] = set()

    def image(self, spec: SandboxSpec) -> str:
        """The tag of the image for a spec; made if the daemon does not have it. Raises: SandboxError, OSError."""
        shown = [mount for mount in spec.mounts if not mount.writable]
        folders = [mount.target for mount in spec.mounts if mount.writable and mount.target not in WRITABLE]
        with _making:
            base = self._base(roots.load(spec.root_fs))
            if not (shown or folders or spec.links or spec.covered):
                return base
            made_of = [[mount.target, self._digest(mount.source)] for mount in shown]
            empty = list(covers.files(spec))
            tag = f"{PREFIX}/env:{content_id(base, made_of, folders, dict(spec.links), empty)[:24]}"
            if not self._there(tag):
                self._make(tag, base, spec, folders, empty)
            return tag

    def look_again(self) -> None:
        """Somebody has removed images."""
        with _making:
            self._known.clear()

    def forget(self, folder: Path) -> None:
        """The content of the folder is another one now."""
        with _making:
            self._digests = {key: value for key, value in self._digests.items() if not key[0].is_relative_to(folder)}

    def remove(self, folder: Path) -> None:
        """Remove the images of the environment in a folder that goes. One that a sandbox still uses stays."""
        if not (folder / "env").is_dir():
            return
        with _making:
            self._known.clear()
            wanted = f"{ENVIRONMENT}={digest(folder / 'env')}"
            for image in self._engine.ask(lambda api: api.images(filters={"label": wanted})):
                self._engine.gone(partial(_remove_image, image["Id"]), limit_s=0, used=True)

    def _there(self, tag: str) -> bool:
        if tag not in self._known and self._engine.find(lambda api: api.inspect_image(tag)) is not None:
            self._known.add(tag)
        return tag in self._known

    def _digest(self, folder: Path) -> str:
        state = folder.stat()
        key = (folder, state.st_ino, state.st_mtime_ns)
        if key not in self._digests:
            self._digests[key] = digest(folder)
        return self._digests[key]

    def _base(self, root: RootFs) -> str:
        etc = {f"/etc/{name}": rootfs.FIXED[name].encode() for name in _ETC}
        if self._engine.podman:
            etc["/etc/gitconfig"] = _FOREIGN_TREE
        code = {f"{program.TOOLS}/inside/{name}": data for name, data in program.texts().items()}
        tag = f"{PREFIX}/base:{content_id(root.id, etc, code, WRITABLE)[:24]}"
        if not self._there(tag):
            context = Context(self._root(root), open_folders=self._engine.podman)
            context.layer(program.folder(root.name), f"{program.TOOLS}/")
            context.files({**etc, rootfs.INDEX_SOCKET: b""}, {}, WRITABLE)
            context.build(self._engine, tag)
        return tag

    def _root(self, root: RootFs) -> str:
        tag = f"{PREFIX}/root:{root.digest[:24]}"
        if not self._there(tag):
            context = Context("scratch")
            context.layer(root.folder, "/")
            context.build(self._engine, tag)
        return tag

    def _make(self, tag: str, base: str, spec: SandboxSpec, folders: list[str], empty: list[str]) -> None:
        context = Context(base, open_folders=self._engine.podman)
        shown = [mount for mount in spec.mounts if not mount.writable]
        for mount in shown:
            context.layer(mount.source, mount.target.rstrip("/") + "/")
        if spec.links or folders or empty:
            context.files(dict.fromkeys(empty, b""), spec.links, folders)
        own = next((self._digest(mount.source) for mount in shown if mount.target == ENV), "")
        context.build(self._engine, tag, own)
