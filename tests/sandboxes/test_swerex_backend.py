"""The sandbox contract in SWE-ReX deployments: remote, local, and in containers where a Docker daemon answers."""

# ruff: noqa: F811  (fixtures that are imported are arguments as well)

from __future__ import annotations

import hashlib
import os
import pickle
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import swerex_servers
from swerex_servers import LIMITS, Server, Use, image, remote, server, spec, text, use  # noqa: F401  (fixtures)

from swesmith_gym.errors import InputError, SandboxDied, SandboxUnavailable, SandboxUnsupported
from swesmith_gym.records import FileChange
from swesmith_gym.sandboxes.base import Mount, Sandbox, SandboxSpec
from swesmith_gym.sandboxes.inside.listen import Frames
from swesmith_gym.sandboxes.inside.wire import frame
from swesmith_gym.sandboxes.swerex import line
from swesmith_gym.sandboxes.swerex.backend import Swerex
from swesmith_gym.sandboxes.swerex.config import VARIABLE
from swesmith_gym.sandboxes.swerex.deployment import Deployment

pytest.importorskip("aiohttp", reason="SWE-ReX needs aiohttp and does not say so: pip install aiohttp")
pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(os.geteuid() != 0, reason="making these servers takes root: sudo -E make test"),
    pytest.mark.skipif(bool(swerex_servers.why_no_namespace()), reason=swerex_servers.why_no_namespace()),
]


@pytest.fixture(params=["remote", "docker"])
def sandbox(request: pytest.FixtureRequest, use: Use, spec: SandboxSpec) -> Iterator[Sandbox]:
    if request.param == "remote":
        use(**remote(request.getfixturevalue("server")))
    else:
        use(type="docker", image=request.getfixturevalue("image"), pull="never")
    with Swerex().start(spec) as found:
        yield found


def test_results_and_session(sandbox: Sandbox) -> None:
    done = sandbox.run('pwd; echo "$A"; cat; echo err >&2; exit 3', cwd="/tmp", env={"A": "b c"}, stdin=b"\0\xff\r\n")
    assert (done.stdout, done.stderr, done.exit_code) == (b"/tmp\nb c\n\0\xff\r\n", b"err\n", 3)
    shell = sandbox.shell()
    shell.run("cd pkg; x=5; export Y=6; f() { echo f$x; }")
    assert shell.run("pwd; f; bash -c 'echo $Y'").stdout == b"/testbed/pkg\nf5\n6\n"
    assert shell.run("exit 4").exit_code == 4
    assert (shell.restarted, shell.run("pwd").stdout) == (True, b"/testbed/pkg\n")


def test_time_limits_leave_no_process(sandbox: Sandbox) -> None:
    done = sandbox.run("setsid sleep 76531 & trap '' TERM; sleep 76531", timeout_s=0.3)
    assert (done.timed_out, done.exit_code) == (True, None)
    done = sandbox.shell().run("cd /tmp; echo before; setsid sleep 76531 & sleep 76531", timeout_s=0.3)
    assert done.timed_out
    assert done.stdout.startswith(b"before\n")
    assert sandbox.shell().run("pwd; grep -las 'sleep.7653[1]' /proc/[0-9]*/cmdline").stdout == b"/tmp\n"


def test_a_command_may_take_longer_than_one_call(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "SLICE_S", 0.2)
    assert sandbox.run("sleep 1.5; echo done").stdout == b"done\n"
    assert sandbox.run("echo on", timeout_s=float("inf")).stdout == b"on\n"


def test_output_is_capped(sandbox: Sandbox) -> None:
    done = sandbox.run("echo first; seq 1000000; echo last")
    assert done.output_truncated
    assert done.stdout.startswith(b"first\n1\n")
    assert done.stdout.endswith(b"1000000\nlast\n")
    assert len(done.stdout) < LIMITS.output_bytes + 100


def test_frames_of_several_megabytes_both_ways(sandbox: Sandbox) -> None:
    data = random.Random(1).randbytes(9 << 20)
    digest = hashlib.sha256(data).hexdigest()
    assert sandbox.run("sha256sum", stdin=data).stdout.decode().split()[0] == digest
    sandbox.apply((FileChange("big", data), FileChange("zeros", bytes(40 << 20))))
    assert sandbox.read_file("big") == data
    assert sandbox.manifest()["big"].sha256 == digest
    assert len(sandbox.read_file("zeros")) == 40 << 20
    assert sandbox.run("echo on").stdout == b"on\n"


def test_files(sandbox: Sandbox) -> None:
    found = sandbox.manifest()
    assert {name: entry.mode for name, entry in found.items()} == {
        "link": 0o120000,
        "pkg/code.py": 0o644,
        "run.sh": 0o755,
    }
    sandbox.apply((FileChange("a/b", b"new", 0o755), FileChange("pkg/code.py", None), FileChange("odd\udcff", b"1")))
    assert set(sandbox.manifest()) == {"link", "run.sh", "a/b", "odd\udcff"}
    assert (sandbox.read_file("a/b"), sandbox.read_link("link")) == (b"new", "pkg/code.py")
    with pytest.raises(FileNotFoundError):
        sandbox.read_file("none")
    with pytest.raises(OSError, match="upwards"):
        sandbox.apply((FileChange("../up", b""),))


def test_commands_are_not_root_and_reach_nothing_of_ours(sandbox: Sandbox) -> None:
    assert text(sandbox, "id -u; id -G; grep -E 'CapEff|NoNewPrivs' /proc/self/status | tr -d '\\t'").split()[2:] == [
        "CapEff:0000000000000000",
        "NoNewPrivs:1",
    ]
    assert "0" not in text(sandbox, "id -u; id -G").split()
    text(sandbox, "for s in 9 STOP; do kill -$s -1; done")
    text(sandbox, "touch /opt/.swesmith-gym/x; rm -rf /opt/.swesmith-gym; python3 -c 'import os; os.setuid(0)'")
    assert "denied" in text(sandbox, "ls /opt/.swesmith-gym/run")
    assert text(sandbox, "cat run.sh") == "echo hello\n"


def test_read_only_folders_links_and_what_is_private(
    request: pytest.FixtureRequest, use: Use, spec: SandboxSpec, tmp_path: Path, server: Server
) -> None:
    use(**remote(server))
    env = tmp_path / "env"
    (env / "bin").mkdir(parents=True)
    (env / "bin" / "tool").write_text("#!/bin/sh\necho tool\n")
    (env / "bin" / "tool").chmod(0o755)
    more = replace(spec, mounts=(Mount(env, "/opt/env"),), links={"/usr-of-env": "/opt/env"}, path=("/opt/env/bin",))
    with Swerex().start(more) as sandbox:
        assert text(sandbox, "tool; /usr-of-env/bin/tool; ls -A ~ /tmp") == "tool\ntool\n/home/agent:\n\n/tmp:\n"
        assert "denied" in text(sandbox, "echo x > /opt/env/bin/tool; rm /opt/env/bin/tool")
    root = Path(f"/proc/{server.pid}/root")
    assert not os.path.lexists(root / "usr-of-env")
    with pytest.raises(SandboxUnsupported, match="passwd"):
        Swerex().start(replace(spec, links={"/etc/passwd": "/tmp"}))


def test_a_folder_is_sent_once(
    use: Use, spec: SandboxSpec, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(**remote(server))
    folder = tmp_path / "large"
    folder.mkdir()
    for number in range(5):
        (folder / str(number)).write_bytes(random.Random(number).randbytes(10 << 20))
    sent: list[int] = []
    upload = Deployment.upload

    def counted(self: Deployment, data: bytes, target: str) -> None:
        sent.append(len(data))
        upload(self, data, target)

    monkeypatch.setattr(Deployment, "upload", counted)
    more = replace(spec, mounts=(Mount(folder, "/opt/large"),))
    with Swerex().start(more) as sandbox:
        assert text(sandbox, "cat /opt/large/* | wc -c").strip() == str(50 << 20)
    assert 50 << 20 <= sum(sent) < 52 << 20
    sent.clear()
    with Swerex().start(more) as sandbox:
        assert text(sandbox, "cat /opt/large/* | wc -c").strip() == str(50 << 20)
    assert sum(sent) < 1 << 16


def test_close_during_a_command(sandbox: Sandbox) -> None:
    closer = threading.Timer(0.5, sandbox.close)
    closer.start()
    began = time.monotonic()
    with pytest.raises(SandboxDied):
        sandbox.shell().run("sleep 60")
    closer.join()
    assert time.monotonic() - began < 20
    assert not sandbox.alive


def test_what_the_variable_may_say(use: Use, spec: SandboxSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(SandboxUnavailable, match=VARIABLE) as caught:
        Swerex().capabilities()
    assert "docker" in caught.value.fix
    for wrong in ("{", "[]", '{"type": "none"}', '{"type": "docker", "isolates": 1}'):
        monkeypatch.setenv(VARIABLE, wrong)
        with pytest.raises(InputError, match=VARIABLE):
            Swerex().capabilities()
    for fields, where in (({"port": "x"}, "docker.port"), ({"imag": "x"}, "docker.imag")):
        use(type="docker", **fields)
        with pytest.raises(InputError, match=where):
            Swerex().capabilities()
    use(type="docker", image="x")
    found = pickle.loads(pickle.dumps(Swerex())).capabilities()
    assert (found.many, found.host_root, found.isolates, found.snapshots) == (True, False, False, True)
    use(type="local", isolates=True)
    found = Swerex().capabilities()
    assert (found.many, found.host_root, found.isolates, found.snapshots) == (False, True, True, False)
    with pytest.raises(SandboxUnsupported, match="index"):
        Swerex().start(replace(spec, network="index"))


def test_build_writes_its_folders(use: Use, spec: SandboxSpec, server: Server, tmp_path: Path) -> None:
    use(**remote(server))
    env = tmp_path / "env"
    env.mkdir()
    backend = Swerex()
    build = replace(spec, tree_writable=True, mounts=(Mount(env, "/opt/env", writable=True),))
    for number in range(2):
        backend.own(spec.tree)
        with backend.start(build) as sandbox:
            text(sandbox, f"echo {number} >> made; cat made > /opt/env/copy")
        backend.fetch(env)
    assert [(spec.tree / "made").read_text(), (env / "copy").read_text()] == ["0\n1\n", "0\n1\n"]
    sandbox = backend.start(build)
    sandbox._connection.end()
    sandbox.close()
    with pytest.raises(SandboxDied, match="lost"):
        backend.fetch(env)


@pytest.mark.slow
def test_container_snapshots_and_limits(use: Use, spec: SandboxSpec, image: str) -> None:
    use(type="docker", image=image, pull="never")
    with Swerex().start(spec) as first:
        first.shell().run("export A=5; cd pkg; echo new > new; rm ../run.sh; echo t > /tmp/t")
        with first.fork() as second:
            first.run("rm -r pkg")
            assert second.shell().run("pwd; echo $A $(ls .. .); cat /tmp/t").stdout == (
                b"/testbed/pkg\n5 .: code.py new ..: link pkg\nt\n"
            )
            first.restore(second.snapshot())
        assert first.shell().run("pwd; cat new code.py").stdout == b"/testbed/pkg\nnew\nx = 1\n"
        bomb = first.run("bomb() { bomb | bomb & }; bomb; sleep 60", timeout_s=1)
        assert bomb.timed_out
        grown = first.run("python3 -c 'x = []\nwhile True: x.append(bytearray(1 << 22))'", timeout_s=60)
        assert (grown.exit_code, grown.oom_killed) == (137, True)
        assert first.run("echo on").stdout == b"on\n"


@pytest.mark.slow
def test_containers_at_once(use: Use, spec: SandboxSpec, image: str) -> None:
    use(type="docker", image=image, pull="never")
    found: list[bytes] = []

    def play(number: int) -> None:
        with Swerex().start(spec) as sandbox:
            sandbox.shell().run(f"echo {number} > mine; sleep 1")
            found.append(sandbox.run("cat mine").stdout)

    threads = [threading.Thread(target=play, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [b"0\n", b"1\n", b"2\n"]


LOCAL = """
import sys
from pathlib import Path
from swesmith_gym.sandboxes.base import SandboxSpec
from swesmith_gym.sandboxes.swerex.backend import Swerex
with Swerex().start(SandboxSpec(tree=Path(sys.argv[1]))) as sandbox:
    sandbox.shell().run("cd pkg")
    done = sandbox.shell().run("pwd; cat ../run.sh; id -u; sleep 60", timeout_s=1)
    big = sandbox.run("cat", stdin=bytes(1 << 20))
sys.stdout.buffer.write(done.stdout + str(len(big.stdout)).encode())
"""


def test_local_deployment(use: Use, spec: SandboxSpec) -> None:
    use(type="local", python="/usr/bin/python3")
    folder = str(spec.tree)
    command = [*swerex_servers.namespace(folder), "--", sys.executable, "-c", LOCAL, folder]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.stdout.startswith(b"/testbed/pkg\necho hello\n64741\n\n[time limit"), done.stderr.decode()
    assert done.stdout.endswith(b"1048576")
    assert not done.stderr


def test_frames_are_given_out_in_any_pieces() -> None:
    values = [b"", b"x" * 10, {"a": 1}, b"y" * 5000]
    stream = b"".join(frame(value) for value in values)
    for most in (4, 5, 100, 1 << 20):
        for step in (1, 7, 4096):
            frames, out, at = Frames(), b"", 0
            while len(out) < len(stream):
                while not frames.enough(most):
                    frames.held += stream[at : at + step]
                    at += step
                piece = frames.take(most)
                assert 0 < len(piece) <= most
                out += piece
            assert out == stream
