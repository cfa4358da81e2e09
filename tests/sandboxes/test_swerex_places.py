"""Where SWE-ReX's sandboxes live: what is refused, what ends them, and what is left of them, with real servers."""

# ruff: noqa: F811  (fixtures that are imported are arguments as well)

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import swerex_servers
from swerex_servers import Server, Use, docker, image, marked, remote, server, spec, text, use  # noqa: F401  (fixtures)

from swesmith_gym.errors import SandboxDied, SandboxUnavailable, SandboxUnsupported
from swesmith_gym.sandboxes.base import Mount, SandboxSpec
from swesmith_gym.sandboxes.swerex import line
from swesmith_gym.sandboxes.swerex.backend import Swerex
from swesmith_gym.sandboxes.swerex.config import VARIABLE

pytest.importorskip("aiohttp", reason="SWE-ReX needs aiohttp and does not say so: pip install aiohttp")
pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(os.geteuid() != 0, reason="making these servers takes root: sudo -E make test"),
    pytest.mark.skipif(bool(swerex_servers.why_no_namespace()), reason=swerex_servers.why_no_namespace()),
]


def test_close_leaves_nothing(use: Use, spec: SandboxSpec, server: Server) -> None:
    use(**remote(server))
    backend = Swerex()
    backend.start(spec).close()
    before = len(os.listdir("/proc/self/fd"))
    sandbox = backend.start(replace(spec, env={"MARK": "b2f1c9"}))
    sandbox.shell().run("setsid sleep 76531 & mkdir -p a/b; touch /tmp/x /dev/shm/x ~/x; chmod 000 a/b a")
    assert marked("b2f1c9")
    sandbox.close()
    sandbox.close()
    assert not marked("b2f1c9")
    root = Path(f"/proc/{server.pid}/root")
    assert [path for path in ("testbed", "home/agent") if (root / path).exists()] == []
    assert [os.listdir(root / path) for path in ("tmp", "dev/shm")] == [[], []]
    assert os.listdir(root / "opt") == [".swesmith-gym"]
    assert not (root / "opt/.swesmith-gym/run/socket").exists()
    assert len(os.listdir("/proc/self/fd")) == before
    assert not sandbox.alive
    with pytest.raises(SandboxDied):
        sandbox.run("true")


def test_a_place_has_one_sandbox_at_a_time(use: Use, spec: SandboxSpec, server: Server) -> None:
    use(**remote(server))
    assert not Swerex().capabilities().many
    with Swerex().start(spec) as sandbox:
        with pytest.raises(SandboxUnsupported, match="room for one"):
            Swerex().start(spec)
        for act in (sandbox.snapshot, sandbox.fork):
            with pytest.raises(SandboxUnsupported, match="one sandbox"):
                act()
        assert sandbox.run("cat run.sh").stdout == b"echo hello\n"
    Swerex().start(spec).close()


def test_the_tree_of_another_sandbox_cannot_be_read(use: Use, spec: SandboxSpec, server: Server) -> None:
    use(**remote(server))
    (spec.tree / "solution").write_text("secret\n")
    look = "cat solution /opt/.swesmith-gym/*/solution; grep -r secret /opt 2>/dev/null"
    with Swerex().start(spec) as sandbox:
        assert text(sandbox, look).startswith("secret\ncat: ")
    (spec.tree / "solution").unlink()
    with Swerex().start(spec) as sandbox:
        assert "secret" not in text(sandbox, look)


def test_server_that_is_killed(use: Use, spec: SandboxSpec) -> None:
    server = Server()
    use(**remote(server))
    sandbox = Swerex().start(spec)
    killer = threading.Timer(0.5, server.kill)
    killer.start()
    with pytest.raises(SandboxDied):
        sandbox.run("sleep 60")
    killer.join()
    assert not sandbox.alive
    with pytest.raises(SandboxDied):
        sandbox.run("true")
    began = time.monotonic()
    sandbox.close()
    assert time.monotonic() - began < 10


def test_server_that_is_not_there_or_takes_another_token(use: Use, spec: SandboxSpec, server: Server) -> None:
    use(**remote(server, auth_token="wrong"))
    with pytest.raises(SandboxUnavailable, match="refuses the token") as caught:
        Swerex().start(spec)
    assert VARIABLE in caught.value.fix
    use(**remote(server, port=swerex_servers.free_port()))
    with pytest.raises(SandboxUnavailable, match="Cannot connect") as caught:
        Swerex().start(spec)
    assert "\n" not in str(caught.value)
    assert [check.ok for check in Swerex().checks()] == [True, True, False]
    use(**remote(server))
    assert all(check.ok for check in Swerex().checks())


def test_isolation_that_is_vouched_for_is_looked_at(use: Use, spec: SandboxSpec, server: Server) -> None:
    use(**remote(server, isolates=True))
    with pytest.raises(SandboxUnsupported, match="token"):
        Swerex().start(spec)
    hidden = Server(hidden=True)
    try:
        use(**remote(hidden, isolates=True))
        assert Swerex().capabilities().isolates
        with Swerex().start(spec) as sandbox:
            assert hidden.token not in text(sandbox, "cat /proc/*/cmdline /proc/*/environ 2>/dev/null | tr '\\0' '\\n'")
    finally:
        hidden.close()


def test_server_without_root(use: Use, spec: SandboxSpec, tmp_path: Path) -> None:
    folder = tmp_path / "env"
    folder.mkdir()
    (folder / "file").write_text("right\n")
    more = replace(spec, mounts=(Mount(folder, "/opt/env"),))
    server = Server(user=65432, writable=("/opt", "/testbed", "/home/agent"))
    try:
        use(**remote(server))
        for _ in range(2):  # what the first one writes into a folder that is kept is not taken for its content
            with Swerex().start(more) as sandbox:
                assert text(sandbox, "id -u; cat /opt/env/file run.sh") == "65432\nright\necho hello\n"
                text(sandbox, "chmod -R u+w /opt; echo wrong > /opt/env/file")
        use(**remote(server, isolates=True))
        with pytest.raises(SandboxUnsupported, match="root"):
            Swerex().start(spec)
    finally:
        server.close()


@pytest.mark.parametrize("writable", [(), ("/opt",)])
def test_server_that_may_not_write(use: Use, spec: SandboxSpec, writable: tuple[str, ...]) -> None:
    server = Server(user=65432, writable=writable)
    try:
        use(**remote(server))
        with pytest.raises(SandboxUnsupported, match="/testbed" if writable else "/opt"):
            Swerex().start(spec)
    finally:
        server.close()


def test_what_is_somebody_elses_stays(use: Use, spec: SandboxSpec, server: Server) -> None:
    use(**remote(server))
    theirs = Path(f"/proc/{server.pid}/root/testbed")
    theirs.mkdir()
    (theirs / "file").write_text("theirs\n")
    try:
        with pytest.raises(SandboxUnsupported, match="/testbed is there already"):
            Swerex().start(spec)
        assert (theirs / "file").read_text() == "theirs\n"
        assert not (theirs.parent / "home/agent").exists()
    finally:
        subprocess.run(["rm", "-r", str(theirs)], check=True)
    Swerex().start(spec).close()


DRIVER = """
import os, sys
from pathlib import Path
from swesmith_gym.sandboxes.base import SandboxSpec
from swesmith_gym.sandboxes.swerex import line
from swesmith_gym.sandboxes.swerex.backend import Swerex
line.IDLE_S = 2.0
sandbox = Swerex().start(SandboxSpec(tree=Path(sys.argv[1]), env={"MARK": "e77a01"}))
sandbox.shell().run("setsid sleep 76531 & disown")
print(flush=True)
os.read(0, 1)
"""


def wait_until(holds: Callable[[], object], limit_s: float = 40.0) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)  # in a place that tells nobody of its end


@pytest.mark.parametrize("kind", ["remote", pytest.param("docker", marks=pytest.mark.slow)])
def test_driver_that_dies(request: pytest.FixtureRequest, use: Use, spec: SandboxSpec, kind: str) -> None:
    if kind == "remote":
        use(**remote(request.getfixturevalue("server")))
    else:
        use(type="docker", image=request.getfixturevalue("image"), pull="never", docker_args=["--label", "e77a01"])
    command = [sys.executable, "-c", DRIVER, str(spec.tree)]
    driver = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert driver.stdout is not None
    assert driver.stdout.readline() == b"\n"
    assert marked("e77a01")
    driver.kill()
    driver.communicate()
    wait_until(lambda: not marked("MARK=e77a01"))
    if kind == "docker":
        wait_until(lambda: not docker("ps", "--quiet", "--filter", "label=e77a01").stdout)
    else:
        wait_until(lambda: not Path(f"/proc/{request.getfixturevalue('server').pid}/root/testbed").exists())


def test_idle_sandbox_lives_on(use: Use, spec: SandboxSpec, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    use(**remote(server))
    monkeypatch.setattr(line, "IDLE_S", 1.5)
    monkeypatch.setattr(line, "BEAT_S", 0.3)
    with Swerex().start(spec) as sandbox:
        threading.Event().wait(4)  # time has to pass
        assert sandbox.run("echo on").stdout == b"on\n"
        assert sandbox.alive


def test_forked_driver(use: Use, spec: SandboxSpec, server: Server) -> None:
    use(**remote(server))
    with Swerex().start(spec) as sandbox:
        child = os.fork()
        if not child:
            os._exit(7 if sandbox.run("echo on").stdout == b"on\n" else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert sandbox.run("echo on").stdout == b"on\n"
