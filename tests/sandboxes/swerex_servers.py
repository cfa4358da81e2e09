"""Real SWE-ReX servers for the tests of that backend: in a mount namespace of their own, and in a container image.

The namespace has its own `/opt`, `/home`, `/tmp` and room for `/testbed`; the host's processes and network are its own.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

import swesmith_gym
from swesmith_gym.records import content_id
from swesmith_gym.sandboxes.base import Limits, Sandbox, SandboxSpec
from swesmith_gym.sandboxes.binary import find_bwrap
from swesmith_gym.sandboxes.swerex.config import VARIABLE

LIMITS = Limits(memory_bytes=512 << 20, processes=64, file_bytes=64 << 20, open_files=512, output_bytes=1 << 18)

HIDDEN_TOKEN = (
    "import os, sys, uvicorn, swerex.server as server; server.AUTH_TOKEN = os.environ.pop('TOKEN'); "
    "uvicorn.run(server.app, host='127.0.0.1', port=int(sys.argv[1]), log_level='error')"
)
"""A server whose token no other process can read."""
START_S = 60.0
PRIVATE = ("opt", "home", "tmp", "testbed", "proc", "dev", "lost+found")


def why_no_namespace() -> str:
    """Why servers cannot run from this checkout in a namespace, and what would change that; empty: they can."""
    for path in (sys.base_prefix, sys.prefix, str(Path(swesmith_gym.__file__).parents[1])):
        if Path(path).parts[1] in PRIVATE:
            return f"{path} lies in a folder that is private to the servers: use a checkout elsewhere"
    return ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """`swerex-remote` in a mount namespace. Ends with `close`, or with these tests."""

    def __init__(self, *, user: int = 0, hidden: bool = False, writable: tuple[str, ...] = ()) -> None:
        """`user`: not root: only what is `writable` can be written. `hidden`: the token is not an argument, and the
        server sees no other processes than its own."""
        self.port = free_port()
        self.token = secrets.token_hex(8)
        server = [sys.executable, "-c", HIDDEN_TOKEN, str(self.port)]
        if not hidden:
            server = [sys.executable, "-m", "swerex.server", "--host", "127.0.0.1", "--port", str(self.port)]
            server += ["--auth-token", self.token]
        made = "".join(f"mkdir -p {path}; chown {user}:{user} {path}; " for path in writable)
        drop = f"exec setpriv --reuid {user} --regid {user} --clear-groups --inh-caps=-all" if user else "exec"
        words = [*namespace(), *(["--unshare-pid", "--as-pid-1"] if hidden else [])]
        self._process = subprocess.Popen(
            [*words, "--", "sh", "-c", f'{made}{drop} "$@"', "sh", *server],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "TOKEN": self.token, "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_S
        request = Request(f"http://127.0.0.1:{self.port}/is_alive", headers={"X-API-Key": self.token})
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "the server ended while it was started"
            try:
                with urlopen(request, timeout=5):
                    return
            except (URLError, ConnectionError):
                time.sleep(0.05)  # nothing tells when it listens
        raise AssertionError("the server does not answer")

    @property
    def pid(self) -> int:
        """Of the server itself, bubblewrap's child."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(children[0])

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self._process.wait(10)

    def close(self) -> None:
        if self._process.poll() is None:
            self.kill()


def namespace(*shown: str) -> Iterator[str]:
    """Bubblewrap with a root folder in memory that shows everything of the host's but what is to be private; of that,
    what is `shown`."""
    yield from (str(find_bwrap()), "--cap-add", "ALL", "--die-with-parent", "--tmpfs", "/")
    for path in sorted(Path("/").iterdir()):
        if path.name in PRIVATE:
            continue
        yield from (
            ("--symlink", os.readlink(path), str(path)) if path.is_symlink() else ("--bind", str(path), str(path))
        )
    yield from ("--dev", "/dev", "--proc", "/proc", "--perms", "1777", "--tmpfs", "/tmp", "--dir", "/home")
    yield from ("--perms", "1777", "--tmpfs", "/dev/shm", "--dir", "/opt")
    for path in shown:
        yield from ("--ro-bind", path, path)


def docker(*words: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["docker", *words], input=data, capture_output=True, check=False, timeout=300)


def why_no_docker() -> str:
    """Why SWE-ReX cannot make containers here, and what would change that; empty: it can."""
    if shutil.which("docker") is None:
        return "no docker command here: apt-get install docker-cli"
    if docker("version").returncode:
        return "no Docker daemon answers: sudo systemctl start docker"
    if not _base():
        return "no image of a root file system here: SWESMITH_GYM_SANDBOX=docker swesmith-gym doctor"
    return ""


def _base() -> str:
    found = docker("images", "--format", "{{.Repository}}:{{.Tag}}", "swesmith-gym/base").stdout.decode().split()
    return found[0] if found else ""


def make_image() -> str:
    """The tag of an image with Python and SWE-ReX's server, made from what is here without a network."""
    files = dict(_files("swe-rex"))
    script = (
        b"#!/usr/bin/python3\nimport sys\nsys.path.insert(0, '/srv/swe-rex')\nfrom swerex.server import main\nmain()\n"
    )
    base = _base()
    tag = f"swesmith-gym-tests/swerex:{content_id(base, sorted(files), script)[:16]}"
    if docker("image", "inspect", tag).returncode == 0:
        return tag
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as context:
        steps = f"FROM {base}\nCOPY site /srv/swe-rex\nCOPY swerex-remote /usr/local/bin/swerex-remote\n".encode()
        for name, data in (("Dockerfile", steps), ("swerex-remote", script)):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755
            context.addfile(member, io.BytesIO(data))
        for name, path in files.items():
            context.add(path, f"site/{name}")
    done = docker("build", "--quiet", "--network", "none", "--tag", tag, "-", data=packed.getvalue())
    assert done.returncode == 0, done.stderr.decode()
    return tag


def _files(name: str) -> Iterator[tuple[str, Path]]:
    """Installed files of a distribution and of all that it needs."""
    pending, seen = [name], set()
    while pending:
        each = re.sub(r"[-_.]+", "-", pending.pop()).lower()
        if each in seen:
            continue
        seen.add(each)
        try:
            found = importlib.metadata.distribution(each)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform or version
        for path in found.files or ():
            if ".." not in path.parts and path.suffix != ".pyc":
                yield str(path), Path(str(found.locate_file(path)))
        wanted = [text for text in found.requires or () if "extra ==" not in text]
        pending += [re.split(r"[^\w.-]", text)[0] for text in wanted]


Use = Callable[..., None]


def remote(server: Server, **more: object) -> dict[str, object]:
    """What names that server to the backend."""
    return {"type": "remote", "port": server.port, "auth_token": server.token, "python": "/usr/bin/python3", **more}


def text(sandbox: Sandbox, command: str) -> str:
    done = sandbox.run(command, timeout_s=30)
    return (done.stdout + done.stderr).decode()


def marked(token: str) -> list[int]:
    """Processes with that in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if token.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


@pytest.fixture(scope="session")
def image() -> Iterator[str]:
    """Of a container with SWE-ReX's server."""
    if reason := why_no_docker():
        pytest.skip(reason)
    tag = make_image()
    yield tag
    docker("image", "rm", tag)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Names a deployment."""
    return lambda **fields: monkeypatch.setenv(VARIABLE, json.dumps(fields))


@pytest.fixture
def spec(tmp_path: Path) -> SandboxSpec:
    tree = tmp_path / "tree"
    (tree / "pkg").mkdir(parents=True)
    (tree / "pkg" / "code.py").write_text("x = 1\n")
    (tree / "run.sh").write_text("echo hello\n")
    (tree / "run.sh").chmod(0o755)
    (tree / "link").symlink_to("pkg/code.py")
    return SandboxSpec(tree=tree, limits=LIMITS)
