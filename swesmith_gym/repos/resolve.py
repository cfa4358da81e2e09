"""From a repository's name, or a task, to a testbed: the image that is there, or one that is built now."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from threading import Lock

from swesmith_gym.errors import InputError, ProfileError, TaskTableError
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import EnvImage, TaskInstance
from swesmith_gym.repos import images, profiles
from swesmith_gym.repos.build import build, current
from swesmith_gym.sandboxes import SandboxBackend, roots

Say = Callable[[str], None]

_log = logging.getLogger("swesmith_gym")
_building: dict[str, Lock] = {}
"""By repository: each is built once, several at the same time."""


def built(repo: str, backend: SandboxBackend) -> Testbed:
    """The testbed of a repository's profile as it is now. Raises: InputError (unknown, or not built), ProfileError."""
    image = current(profiles.load(repo), backend.root_fs())
    if image is None:
        older = images.find(repo)
        what = f"built, but not as its profile is now ({older.source} was)" if older else "not built on this host"
        raise InputError(f"the repository {repo!r} is {what}: run `swesmith-gym repos build {repo}`")
    return _testbed(image.key, backend)


def ensure_built(repo: str, backend: SandboxBackend, say: Say) -> Testbed:
    """The testbed of a repository's profile as it is now; built if need be.

    Raises: ProfileError, SandboxUnavailable.
    """
    with _building.setdefault(repo, Lock()):
        return _testbed(build(profiles.load(repo), backend, progress=say).key, backend)


def testbed_of(task: TaskInstance, backend: SandboxBackend, say: Say = lambda _: None) -> Testbed:
    """The testbed that `task` was validated on, or this host's own build of the same source.

    Raises: TaskTableError (this host knows another source under that name, or none), ProfileError, SandboxUnavailable.
    """
    with _building.setdefault(task.repo, Lock()):
        image = images.find(task.repo, task.fingerprint)
        if image is None or not _usable(image, backend):
            image = _own_build(task, backend, say)
    return _testbed(image.key, backend)


def _usable(image: EnvImage, backend: SandboxBackend) -> bool:
    """The backend can show the root file system that the image was built on."""
    if image.root_fs == roots.HOST:
        return backend.capabilities().host_root
    try:
        roots.with_id(image.root_fs)
    except InputError:
        return False
    return True


def _own_build(task: TaskInstance, backend: SandboxBackend, say: Say) -> EnvImage:
    try:
        profile = profiles.load(task.repo)
    except ProfileError as error:
        raise TaskTableError(
            f"{task.instance_id}: this host has no profile of {task.repo!r}; "
            f"run `swesmith-gym repos add {task.repo_source} --name {task.repo}`"
        ) from error
    if profile.source != task.repo_source:
        raise TaskTableError(
            f"{task.instance_id} is a bug of {task.repo_source}, but the profile {task.repo!r} of this host is of "
            f"{profile.source}; run `swesmith-gym repos add {task.repo_source} --name {task.repo}`"
        )
    return build(profile, backend, progress=say)


@lru_cache(maxsize=32)
def _testbed(key: str, backend: SandboxBackend) -> Testbed:
    image = images.load(key)
    spec = images.spec(image)
    if spec.covered and not backend.capabilities().covers:
        shown = ", ".join(spec.covered)
        _log.warning("%s: sandboxes of %s show copies of its code, and cannot cover them: %s", key, backend.name, shown)
    return Testbed(image, spec, backend)
