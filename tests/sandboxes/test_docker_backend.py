"""What is true of containers only: their end, what is left of them, their images, and errors of the daemon."""

from __future__ import annotations

import ipaddress
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from swesmith_gym.errors import InputError, SandboxDied, SandboxUnavailable
from swesmith_gym.sandboxes.base import Mount, Sandbox, SandboxBackend, SandboxSpec
from swesmith_gym.sandboxes.docker import engine as daemon
from swesmith_gym.sandboxes.docker import volumes
from swesmith_gym.sandboxes.docker.backend import Docker
from swesmith_gym.sandboxes.docker.container import Streams
from swesmith_gym.sandboxes.docker.engine import OWNER, Engine

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.docker,
    pytest.mark.parametrize("backend", ["docker"], indirect=True),
]
Start = Callable[..., Sandbox]


@pytest.fixture
def engine(backend: SandboxBackend) -> Engine:
    return daemon.engine()


def containers(engine: Engine, owner: str) -> list[str]:
    found = engine.ask(lambda api: api.containers(all=True, filters={"label": OWNER}))
    return [each["Id"] for each in found if each["Labels"][OWNER] == owner]


def own(engine: Engine) -> set[str]:
    return set(containers(engine, daemon.labels()[OWNER]))


def test_close_leaves_nothing(backend: SandboxBackend, engine: Engine, tree: Path) -> None:
    cold, spec = Docker(warm=0), SandboxSpec(tree=tree, root_fs=backend.root_fs())
    for _ in range(8):
        cold.start(spec).close()  # opens what is kept: a few connections
    before, descriptors = own(engine), len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with cold.start(spec) as sandbox:
            assert sandbox.run("echo on").stdout == b"on\n"
    assert own(engine) <= before
    assert len(os.listdir("/proc/self/fd")) <= descriptors


DRIVER = """
import os, sys
from pathlib import Path
from swesmith_gym.sandboxes.base import SandboxSpec
from swesmith_gym.sandboxes.docker.backend import Docker
sandbox = Docker(warm=0).start(SandboxSpec(tree=Path(sys.argv[1]), root_fs=sys.argv[2]))
print(sandbox._connection.peer.id, flush=True)
sandbox.run("sleep 600" if sys.argv[3] == "busy" else "true")
print("idle", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("then", ["busy", "idle"])
def test_driver_that_dies(backend: SandboxBackend, engine: Engine, tree: Path, then: str) -> None:
    words = [sys.executable, "-c", DRIVER, str(tree), backend.root_fs(), then]
    driver = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    name = driver.stdout.readline().strip()
    if then == "idle":
        assert driver.stdout.readline() == "idle\n"
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    engine.find(lambda api: api.wait(name, timeout=30, condition="removed"))
    assert engine.find(lambda api: api.inspect_container(name)) is None
    for stream in (driver.stdin, driver.stdout):
        stream.close()  # type: ignore[union-attr]


def test_what_a_dead_driver_left_is_removed(engine: Engine, start: Start) -> None:
    boot, pid, started = daemon.labels()[OWNER].rsplit(":", 2)
    dead = {OWNER: f"{boot}:{pid}:{int(started) - 1}"}
    image = engine.ask(lambda api: api.inspect_container(start()._connection.peer.id))["Image"]  # type: ignore[attr-defined]
    made = engine.ask(lambda api: api.create_container(image, ["sleep", "600"], labels=dead))["Id"]
    volume = volumes.name_of(Path("/no/such/folder"))
    engine.ask(lambda api: api.create_volume(name=volume, labels={**dead, volumes.FOLDER: "/no/such/folder"}))
    from swesmith_gym.sandboxes.docker import backend as module

    module._prepare_once.__wrapped__(os.getpid())
    assert engine.find(lambda api: api.inspect_container(made)) is None
    assert engine.find(lambda api: api.inspect_volume(volume)) is None


def test_killed_from_outside(engine: Engine, start: Start) -> None:
    sandbox = start()
    name = sandbox._connection.peer.id  # type: ignore[attr-defined]
    threading.Timer(0.5, lambda: engine.ask(lambda api: api.kill(name))).start()
    with pytest.raises(SandboxDied):
        sandbox.run("sleep 60")
    assert not sandbox.alive
    assert start().run("echo on").stdout == b"on\n"


def test_paused_from_outside(engine: Engine, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swesmith_gym.sandboxes.client.GRACE_S", 0.5)
    sandbox = start()
    name = sandbox._connection.peer.id  # type: ignore[attr-defined]
    engine.ask(lambda api: api.pause(name))
    with pytest.raises(SandboxDied, match="does not answer"):
        sandbox.run("true", timeout_s=0.1)
    sandbox.close()
    assert engine.find(lambda api: api.inspect_container(name)) is None


def test_hardening(engine: Engine, start: Start) -> None:
    name = start()._connection.peer.id  # type: ignore[attr-defined]
    found = engine.ask(lambda api: api.inspect_container(name))
    host = found["HostConfig"]
    assert (host["CapDrop"], host["NetworkMode"], host["ReadonlyRootfs"]) == (["ALL"], "none", True)
    assert host["Memory"] == host["MemorySwap"] > 0
    assert host["PidsLimit"] > 0
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert not host["Privileged"]
    assert host["LogConfig"]["Type"] == "none"
    assert host["IpcMode"] == "private"
    assert not host["Binds"]
    assert found["Config"]["User"] == "1000:1000"


def test_full_network_is_the_bridge_and_none_is_none(engine: Engine, start: Start) -> None:
    subnet = engine.ask(lambda api: api.inspect_network("bridge"))["IPAM"]["Config"][0]["Subnet"]
    gateway = ipaddress.ip_network(subnet)[1]
    reach = f"import socket; s = socket.socket(); s.settimeout(5); print(s.connect_ex(('{gateway}', 1)))"
    refused, unreachable = b"111\n", b"101\n"
    assert start(network="full").run(f'python3 -c "{reach}"').stdout == refused
    assert start().run(f'python3 -c "{reach}"').stdout == unreachable


def test_an_image_that_was_removed_is_made_again(backend: SandboxBackend, tree: Path, engine: Engine) -> None:
    shown = tree.parent / "shown"
    shown.mkdir()
    (shown / "file").write_text(str(tree))
    spec = SandboxSpec(tree=tree, root_fs=backend.root_fs(), mounts=(Mount(shown, "/opt/shown"),))
    cold = Docker(warm=0)
    with cold.start(spec) as sandbox:
        image = engine.ask(lambda api: api.inspect_container(sandbox._connection.peer.id))["Image"]
    engine.ask(lambda api: api.remove_image(image, force=True))
    with cold.start(spec) as sandbox:
        assert sandbox.run("cat /opt/shown/file").stdout == str(tree).encode()
        image = engine.ask(lambda api: api.inspect_container(sandbox._connection.peer.id))["Image"]
    engine.ask(lambda api: api.remove_image(image, force=True))


@pytest.fixture
def nowhere(backend: SandboxBackend, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/docker.sock")
    yield
    daemon._engine.cache_clear()


def test_no_daemon_is_one_clear_line(nowhere: None) -> None:
    with pytest.raises(SandboxUnavailable, match="no Docker daemon answers at unix:///no/such") as caught:
        Docker().capabilities()
    assert caught.value.fix == "sudo systemctl start docker"
    (check,) = Docker().checks()
    assert (check.ok, check.fix) == (False, "sudo systemctl start docker")


def test_no_root_file_system_names_the_command(
    backend: SandboxBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWESMITH_GYM_HOME", str(tmp_path))
    with pytest.raises(SandboxUnavailable) as caught:
        backend.root_fs()
    assert caught.value.fix == "swesmith-gym images bootstrap"
    monkeypatch.setenv("SWESMITH_GYM_ROOT_FS", "no-such-root")
    with pytest.raises(InputError, match="no-such-root"):
        backend.root_fs()


def test_frames_are_put_together(backend: SandboxBackend) -> None:
    streams = Streams()
    data = b"\1\0\0\0\0\0\0\5hello\2\0\0\0\0\0\0\3bad\1\0\0\0\0\0\0\1!"
    assert b"".join(streams.feed(data[i : i + 1]) for i in range(len(data))) == b"hello!"
    assert bytes(streams.errors) == b"bad"
