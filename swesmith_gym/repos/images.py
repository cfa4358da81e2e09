"""The image store: built environments on disk, whole or absent.

    HOME/images/KEY/
        testbed/     the pristine tree, shown at /testbed
        env/         the installed environment, shown read-only at /opt/env
        bytecode/    byte code of the environment and of the standard library, at /opt/bytecode
        lock         the lock that it was built from
        image.json   the EnvImage
        build.log    everything that the build printed

An image is made in a folder of its own beside these and renamed when it is complete; a published one is not changed.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from swesmith_gym import languages
from swesmith_gym.errors import ProfileError
from swesmith_gym.home import home, write_atomic
from swesmith_gym.records import EnvImage, Outcome, TestResult, TestSetup, content_id
from swesmith_gym.repos import copies, interpreters
from swesmith_gym.sandboxes import roots
from swesmith_gym.sandboxes.base import Limits, Mount, SandboxBackend, SandboxSpec

ENV = "/opt/env"
BYTECODE = "/opt/bytecode"
RUNNER = "/opt/runner"


def store() -> Path:
    """Folder of all images."""
    return home() / "images"


def folder(key: str) -> Path:
    """Folder of one image, whether or not it is there. Raises: ProfileError (not a key)."""
    if not key or "/" in key or key.startswith("."):
        raise ProfileError(f"not the key of an image: {key!r}")
    return store() / key


def fingerprint(root_fs: str, *, interpreter: str, lock: str, source: str, runner: str, profile: str) -> str:
    """Content id of an environment: equal means interchangeable.

    `interpreter`: full version; `lock`, `source`: their hashes; `runner`: the runner's version; `profile`: content id
    of how the profile installs and tests.
    """
    return content_id(root_fs, interpreter, lock, source, runner, profile)


def key_of(repo: str, fingerprint_: str) -> str:
    """`NAME-FINGERPRINT12`."""
    return f"{repo}-{fingerprint_[:12]}"


def spec(image: EnvImage, *, tree: Path | None = None, limits: Limits | None = None) -> SandboxSpec:
    """How a sandbox of this image starts, for tests and for episodes. `tree`: another one than the pristine.

    Raises: ProfileError (the interpreter that it was built with is gone), InputError (so is its root file system).
    """
    if image.interpreter_prefix and not Path(image.interpreter_prefix).is_dir():
        raise ProfileError(
            f"image {image.key} was built with the interpreter in {image.interpreter_prefix}, which is gone; "
            f"build it again: swesmith-gym repos build {image.repo}",
            step="interpreter",
        )
    root = roots.with_id(image.root_fs)
    return spec_of(folder(image.key), image.language, image.interpreter_prefix, root_fs=root, tree=tree, limits=limits)


def spec_of(
    where: Path,
    language: str,
    prefix: str,
    *,
    root_fs: str = roots.HOST,
    tree: Path | None = None,
    limits: Limits | None = None,
    seed: bool = False,
) -> SandboxSpec:
    """The same for an image folder that need not be published. `seed`: byte code may be written, as a build does."""
    tools = languages.get(language)
    interpreter = interpreters.mounts(prefix)
    return SandboxSpec(
        tree=tree or where / "testbed",
        mounts=(
            Mount(where / "env", ENV),
            Mount(where / "bytecode", BYTECODE, writable=seed),
            Mount(tools.tools, RUNNER),
            *interpreter,
        ),
        links=interpreters.links(prefix),
        env=tools.sandbox_env,
        path=(f"{ENV}/bin",),
        limits=limits or Limits(),
        root_fs=root_fs,
        covered=copies.covered(where / "testbed", language, root_fs, interpreter),
    )


def to_json(image: EnvImage) -> str:
    """Text that `from_json` reads back."""
    return json.dumps(asdict(image), indent=1, ensure_ascii=True) + "\n"


def from_json(text: str) -> EnvImage:
    """Raises: ValueError, TypeError, KeyError (not what `to_json` wrote)."""
    data: dict[str, Any] = json.loads(text)
    test = data.pop("test")
    tuples = ("args", "paths", "plugins", "ignored_args")
    baseline = {
        name: TestResult(Outcome(r["outcome"]), r["duration_s"], r["message"])
        for name, r in data.pop("baseline").items()
    }
    for name in ("surface", "surface_roots"):
        data[name] = tuple(data[name])
    setup = TestSetup(**{**test, **{name: tuple(test[name]) for name in tuples}})
    return EnvImage(**data, test=setup, baseline=baseline)


def load(key: str) -> EnvImage:
    """The image under `key`. Raises: ProfileError (not there, or damaged)."""
    path = folder(key) / "image.json"
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ProfileError(f"no image {key!r} in {store()}; build it: swesmith-gym repos build NAME") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ProfileError(f"{path} is damaged ({error}); delete {path.parent} and build it again") from error


def all_keys() -> list[str]:
    """Keys of all images, sorted."""
    return sorted(path.parent.name for path in store().glob("*/image.json") if not path.parent.name.startswith("."))


def find(repo: str, fingerprint_: str = "") -> EnvImage | None:
    """The image of a repository, with that fingerprint or (empty) the one that was built last; None: there is none."""
    if fingerprint_:
        key = key_of(repo, fingerprint_)
        return load(key) if (folder(key) / "image.json").is_file() else None
    found = of(repo)
    return found[-1] if found else None


def of(repo: str) -> list[EnvImage]:
    """Every image of a repository, the one that was built last at the end. Raises: ProfileError (a damaged one)."""
    own = [path for path in store().glob(f"{repo}-*/image.json") if path.parent.name[: -len("-") - 12] == repo]
    return [load(path.parent.name) for path in sorted(own, key=lambda path: path.stat().st_mtime)]


@contextmanager
def making(repo: str, backend: SandboxBackend) -> Iterator[Path]:
    """A new folder to make one image in; removed with all in it if it has not been published."""
    _remove_abandoned(backend)
    where = store() / f".making-{repo}-{os.getpid()}-{secrets.token_hex(4)}"
    where.mkdir(parents=True, mode=0o755)
    try:
        yield where
    finally:
        if where.exists():
            backend.remove_tree(where)


def _remove_abandoned(backend: SandboxBackend) -> None:
    """Folders of builds whose process has ended without cleaning up."""
    for path in store().glob(".making-*"):
        pid = path.name.rsplit("-", 2)[-2]
        if pid.isdigit() and not Path("/proc", pid).exists():
            backend.remove_tree(path)


def publish(where: Path, image: EnvImage, lock: str, log: str, backend: SandboxBackend) -> None:
    """Make the folder `where` the image. A whole one of the same key stays as it is: they are interchangeable."""
    write_atomic(where / "lock", lock)
    write_atomic(where / "build.log", log)
    write_atomic(where / "image.json", to_json(image))
    target = folder(image.key)
    while True:
        try:
            where.rename(target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            if (target / "image.json").exists():  # another process was faster
                return
            backend.remove_tree(target)
        else:
            return


def discard(key: str, backend: SandboxBackend) -> None:
    """Delete one image. Raises: ProfileError (not a key)."""
    (folder(key) / "image.json").unlink(missing_ok=True)
    backend.remove_tree(folder(key))


def remove(repo: str, backends: Iterable[SandboxBackend]) -> int:
    """Delete every image of a repository, and what each of the backends made of it. Gives their number."""
    own = [path.parent for path in store().glob(f"{repo}-*/image.json") if path.parent.name[: -len("-") - 12] == repo]
    for path in own:
        (path / "image.json").unlink()
        for backend in backends:
            backend.remove_tree(path)
    return len(own)
