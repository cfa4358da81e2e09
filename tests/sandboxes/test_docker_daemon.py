"""What a Docker daemon can do to those who use it: restart under load, be killed, have a full disk, lose its images."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from private_daemon import Daemon, private_daemon

from swesmith_gym.errors import SandboxDied, SandboxError, SandboxUnavailable
from swesmith_gym.sandboxes.base import SandboxBackend, SandboxSpec
from swesmith_gym.sandboxes.docker import engine
from swesmith_gym.sandboxes.docker.backend import Docker

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.docker,
    pytest.mark.slow,
    pytest.mark.parametrize("backend", ["docker"], indirect=True),
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("dockerd"), reason="only root starts a daemon of its own"),
]
LOAD = 4
"""Episodes that run at the same time."""
LIMIT_S = 300
"""For a busy machine."""


@pytest.fixture
def spec(backend: SandboxBackend, tree: Path) -> SandboxSpec:
    return SandboxSpec(tree=tree, root_fs=backend.root_fs())


@pytest.fixture
def daemon(backend: SandboxBackend, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    with private_daemon() as found:
        monkeypatch.setenv("DOCKER_HOST", found.url)
        yield found
    engine._engine.cache_clear()


class Load:
    """Episodes that step until they hear of an error: each of them must, as an error of a sandbox."""

    def __init__(self, spec: SandboxSpec) -> None:
        self._spec = spec
        self._pool = ThreadPoolExecutor(LOAD)
        self._running = threading.Barrier(LOAD + 1)
        self._ends = [self._pool.submit(self._episode) for _ in range(LOAD)]
        self._running.wait(LIMIT_S)

    def _episode(self) -> SandboxError:
        with Docker(warm=0).start(self._spec) as sandbox:
            self._running.wait(LIMIT_S)
            try:
                while True:
                    assert sandbox.shell().run("echo on").stdout == b"on\n"
            except SandboxError as error:
                assert not sandbox.alive
                return error

    def errors(self) -> list[SandboxError]:
        found = [end.result(LIMIT_S) for end in self._ends]
        self._pool.shutdown()
        return found


def test_restarted_under_load(spec: SandboxSpec, daemon: Daemon) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        load = Load(spec)
        daemon.stop(number)
        assert all(isinstance(error, SandboxDied) for error in load.errors())
        with pytest.raises(SandboxUnavailable, match="no Docker daemon answers at unix:///tmp"):
            Docker(warm=0).start(spec)
        daemon.start()
        with Docker(warm=0).start(spec) as sandbox:
            assert sandbox.run("cat pkg/code.py").stdout == b"x = 1\n"
        assert not daemon.left()


def test_what_could_not_be_removed_goes_with_the_next_start(spec: SandboxSpec, daemon: Daemon) -> None:
    with Docker(warm=0).start(spec):
        image = daemon.ask("ps", "--format", "{{.Image}}")[0]
    (left,) = daemon.ask("create", image, "true")
    daemon.stop()
    engine.engine().remove_or_leave(left)
    daemon.start()
    assert left in daemon.ask("ps", "--all", "--quiet", "--no-trunc")
    with Docker(warm=0).start(spec):
        assert left not in daemon.ask("ps", "--all", "--quiet", "--no-trunc")


def test_a_full_disk_is_one_clear_line(
    backend: SandboxBackend, spec: SandboxSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with private_daemon(size="64m") as full:
        monkeypatch.setenv("DOCKER_HOST", full.url)
        with pytest.raises(SandboxUnavailable, match="no space left on device") as caught:
            Docker(warm=0).start(spec)
        assert "\n" not in str(caught.value)
        assert caught.value.fix == "docker system prune"
        assert not full.left()
    engine._engine.cache_clear()
