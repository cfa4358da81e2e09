"""Built environments as one file: to another machine, or to another backend there, without building twice.

    environment/    the image folder: image.json, lock, testbed, env, bytecode
    profile.toml    the profile that it was built from
    root/           with `root`: the portable root file system that it was built on, and root.json

An archive is data: nothing of it runs on the host, and nothing of it is written outside of the folder that it goes to.
What it holds runs in sandboxes only, as a repository does that was built here.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swesmith_gym.errors import InputError
from swesmith_gym.home import atomic_file, home
from swesmith_gym.records import EnvImage
from swesmith_gym.repos import images, profiles
from swesmith_gym.sandboxes import SandboxBackend, roots
from swesmith_gym.sandboxes.inside import trees

MAX_BYTES = 4 << 30
_KINDS = {tarfile.DIRTYPE: stat.S_IFDIR, tarfile.SYMTYPE: stat.S_IFLNK, tarfile.REGTYPE: stat.S_IFREG}


def write(image: EnvImage, out: Path, *, root: bool = False) -> None:
    """Write the archive of an image. Raises: InputError (built on the host's own root file system), OSError."""
    if image.root_fs == roots.HOST:
        raise InputError(
            f"{image.key} was built on this host's own root file system and works nowhere else; build it on a portable "
            f"one: swesmith-gym repos build {image.repo} --root-fs NAME (`swesmith-gym images bootstrap` makes one)"
        )
    with atomic_file(out) as temporary, tarfile.open(temporary, "w:gz", compresslevel=1) as tar:
        _add(tar, "profile.toml", stat.S_IFREG | 0o644, profiles.path_of(image.repo).read_bytes())
        _add_folder(tar, images.folder(image.key), "environment")
        if root:
            _add_folder(tar, roots.load(roots.with_id(image.root_fs)).folder.parent, "root")


def _add_folder(tar: tarfile.TarFile, folder: Path, name: str) -> None:
    _add(tar, name, stat.S_IFDIR | 0o755, None)
    for entry, mode, mtime_ns, data in trees.pack(str(folder), MAX_BYTES):
        _add(tar, f"{name}/{entry}", mode, data, mtime_ns)


def _add(tar: tarfile.TarFile, name: str, mode: int, data: bytes | None, mtime_ns: int = 0) -> None:
    member = tarfile.TarInfo(name)
    member.mode, member.mtime = stat.S_IMODE(mode), mtime_ns / 1e9
    if stat.S_ISDIR(mode):
        member.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(mode):
        member.type, member.linkname = tarfile.SYMTYPE, (data or b"").decode("utf-8", "surrogateescape")
    else:
        member.size = len(data or b"")
    tar.addfile(member, io.BytesIO(data or b""))


def read(archive: Path, backend: SandboxBackend) -> EnvImage:
    """Put an archive's environment into the image store, and its profile beside the user's own where there is none.

    Raises: InputError (no such archive, or its root file system is neither in it nor here), OSError.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".import-", dir=_parent()) as folder:
            place = Path(folder) / "content"
            place.mkdir()
            trees.unpack(str(place), list(_entries(archive)))
            return _put(place, archive, backend)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{archive} is no exported environment: {error}") from error


def _parent() -> Path:
    home().mkdir(parents=True, exist_ok=True)
    return home()


def _entries(archive: Path) -> Iterator[list[Any]]:
    left = MAX_BYTES
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            kind = _KINDS.get(member.type)
            left -= member.size
            if kind is None or left < 0:
                raise ValueError(
                    f"{member.name}: {'too large' if left < 0 else 'neither a file nor a folder nor a link'}"
                )
            content = tar.extractfile(member) if kind == stat.S_IFREG else None
            data = content.read() if content else None
            if kind == stat.S_IFLNK:
                data = member.linkname.encode("utf-8", "surrogateescape")
            yield [member.name, kind | member.mode & 0o777, int(member.mtime * 1e9), data]


def _put(place: Path, archive: Path, backend: SandboxBackend) -> EnvImage:
    image = images.from_json((place / "environment" / "image.json").read_text(encoding="utf-8"))
    profile = profiles.parse((place / "profile.toml").read_text(encoding="utf-8"), str(archive))
    if image.key != images.key_of(profiles.check_name(image.repo), image.fingerprint) or profile.name != image.repo:
        raise InputError(f"{archive}: the environment's key, {image.key!r}, is not that of its content")
    if (place / "root").is_dir():
        _put_root(place / "root")
    roots.with_id(image.root_fs)
    if profile.name not in profiles.names():
        profiles.save(profile, (place / "environment" / "lock").read_text(encoding="utf-8"))
    target = images.folder(image.key)
    if not (target / "image.json").exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        backend.remove_tree(target)
        (place / "environment").rename(target)
    return image


def _put_root(folder: Path) -> None:
    found = roots.RootFs(**json.loads((folder / "root.json").read_text(encoding="utf-8")))
    if found.id in {roots.load(name).id for name in roots.names()}:
        return
    target = found.folder.parent
    if target.exists() or target.parent != home() / "roots":
        raise InputError(f"there is another root file system {found.name!r} here already")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(str(folder), str(target))
