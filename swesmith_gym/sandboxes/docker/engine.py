"""The connection to a Docker daemon: one per process, errors of the daemon as errors of this package."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from swesmith_gym.errors import SandboxDied, SandboxError, SandboxUnavailable

T = TypeVar("T")

OLDEST = (1, 41)
"""The daemon's interface: that of Docker 20.10."""
TIMEOUT_S = 120
"""Limit for one answer of the daemon."""
OWNER = "swesmith-gym.owner"
"""Label of all that is made: which process made it."""


def socket_url() -> str | None:
    """The daemon's address: `$DOCKER_HOST`, else the first socket that is there; None: the usual one, absent or not."""
    if configured := os.environ.get("DOCKER_HOST"):
        return configured
    runtime = os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    places = ("/var/run/docker.sock", f"{runtime}/docker.sock", f"{runtime}/podman/podman.sock")
    found = [path for path in (*places, "/run/podman/podman.sock") if Path(path).exists()]
    usable = next((path for path in found if os.access(path, os.R_OK | os.W_OK)), None)
    return f"unix://{usable}" if usable else None


class ImageMissing(SandboxUnavailable):
    """Somebody has removed an image that was there: it can be made again."""


@contextmanager
def translated() -> Iterator[None]:
    """Errors of the connection and of the daemon, as errors of sandboxes."""
    import docker.errors
    import requests.exceptions

    try:
        yield
    except docker.errors.APIError as error:
        raise _of_daemon(error.explanation or str(error), error.status_code or 500) from error
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
        raise _unreachable(error) from error


def _of_daemon(text: str, code: int) -> SandboxDied | SandboxUnavailable:
    shown = " ".join(text.split())[-300:]
    if "no space left" in text:
        return SandboxUnavailable(f"the Docker daemon's disk is full: {shown}", fix="docker system prune")
    if code == 404 and "image" in text.lower():
        return ImageMissing(f"the Docker daemon does not have the image: {shown}", fix="swesmith-gym doctor")
    return SandboxDied(f"the Docker daemon refuses: {shown}")


def _unreachable(error: Exception) -> SandboxUnavailable:
    text = " ".join(str(error).split())
    if "Permission denied" in text or "PermissionError" in text:
        return SandboxUnavailable(
            "the Docker daemon may not be used by this user", fix="sudo usermod -aG docker $USER, then log in again"
        )
    if "timed out" in text.lower():
        return SandboxUnavailable(
            f"the Docker daemon does not answer: {text[-200:]}", fix="sudo systemctl restart docker"
        )
    where = socket_url() or "unix:///var/run/docker.sock"
    return SandboxUnavailable(f"no Docker daemon answers at {where}", fix="sudo systemctl start docker")


def _share_connections(api: Any) -> None:
    """One pool of connections for the daemon, none of which stays open.

    The package keeps a pool for each address, and each container has addresses of its own: thousands of pools, or,
    where they are limited, pools that are closed while another thread is about to use them.
    """
    api.headers["Connection"] = "close"
    adapter = api.get_adapter(api.base_url)
    by_address = adapter.get_connection
    if hasattr(adapter, "socket_path"):  # over TCP there is one pool for each host already
        adapter.get_connection = lambda url, proxies=None: by_address(api.base_url, proxies)


class Engine:
    """Thread-safe. Belongs to one process."""

    def __init__(self) -> None:
        import docker

        with translated():
            self.api: Any = docker.APIClient(base_url=socket_url(), version="auto", timeout=TIMEOUT_S)
            _share_connections(self.api)
            self.info: Mapping[str, Any] = self.api.info()
            parts = self.api.version().get("Components") or []
        self.podman = any("Podman" in part.get("Name", "") for part in parts)
        """It speaks Docker's language with an accent: see where this is asked for."""
        self._left: deque[str] = deque()
        version = tuple(int(part) for part in str(self.api.api_version).split(".")[:2])
        if version < OLDEST:
            raise SandboxUnavailable(
                f"the Docker daemon speaks version {self.api.api_version} of its interface: 1.41 is needed",
                fix="apt-get install docker.io  # Docker 20.10 or newer",
            )

    def ask(self, act: Callable[[Any], T]) -> T:
        """Call the daemon. Raises: SandboxDied, SandboxUnavailable."""
        with translated():
            return act(self.api)

    def find(self, act: Callable[[Any], T]) -> T | None:
        """The same; None for what is not there."""
        import docker.errors

        with translated():
            try:
                return act(self.api)
            except docker.errors.NotFound:
                return None

    def gone(self, act: Callable[[Any], object], limit_s: float = 30.0, *, used: bool = False) -> None:
        """Call something that removes; the daemon may be removing it already, or have done so.

        `used`: what is still in use after the limit stays, and that is no error.
        """
        import docker.errors

        deadline = time.monotonic() + limit_s
        with translated():
            while True:
                try:
                    act(self.api)
                except docker.errors.NotFound:
                    return
                except docker.errors.APIError as error:
                    if error.status_code != 409:
                        raise
                    if time.monotonic() >= deadline:
                        if used:
                            return
                        raise
                    time.sleep(0.005)  # no event tells of the end of a removal by its own process
                else:
                    return

    def remove_container(self, name: str, limit_s: float = 0.0) -> None:
        """End a container and remove it, with what only it used."""
        self.gone(lambda api: api.remove_container(name, force=True, v=True), limit_s, used=limit_s == 0)

    def remove_or_leave(self, name: str, limit_s: float = 30.0) -> None:
        """The same; where the daemon does not do it, the container is left until another one has been made."""
        try:
            self.remove_container(name, limit_s)
        except SandboxError:
            self._left.append(name)

    def remove_left(self) -> None:
        """Ask once more for what was left, now that the daemon answers; never waits for what it is removing."""
        for _ in range(len(self._left)):
            try:
                name = self._left.popleft()
            except IndexError:  # another thread is at it too
                return
            self.remove_or_leave(name, limit_s=0)


@cache
def _engine(_pid: int, _url: str | None) -> Engine:
    return Engine()


def engine() -> Engine:
    """The connection of this process. Raises: SandboxUnavailable."""
    return _engine(os.getpid(), socket_url())


@cache
def _boot() -> str:
    """This run of this machine, and the process namespace: where process ids mean something."""
    namespace = os.stat("/proc/self/ns/pid").st_ino
    return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}:{namespace}"


def _started(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def labels() -> dict[str, str]:
    """For all that this process makes and that ends with it."""
    return {OWNER: f"{_boot()}:{os.getpid()}:{_started(os.getpid())}"}


def ours(owner: str) -> bool:
    """This process made it."""
    return owner == labels()[OWNER]


def orphaned(owner: str) -> bool:
    """The process that made it ran here and has ended."""
    where, _, started = owner.rpartition(":")
    boot, _, pid = where.rpartition(":")
    return boot == _boot() and pid.isdigit() and _started(int(pid)) != started
