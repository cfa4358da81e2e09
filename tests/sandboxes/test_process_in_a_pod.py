"""The process backend where it belongs: in a container, as an ordinary user to whom `/` and `/opt` belong.

The container is one of bubblewrap's; the tests of this backend run again in it. Without such folders the backend says
what it lacks.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import swesmith_gym
from swesmith_gym.errors import SandboxError, SandboxUnavailable
from swesmith_gym.sandboxes import bubblewrap, rootfs
from swesmith_gym.sandboxes.binary import find_bwrap
from swesmith_gym.sandboxes.process import checks
from swesmith_gym.sandboxes.process.backend import Process

ROOT = Path(swesmith_gym.__file__).parents[1]
FILES = ("backend", "lifecycle", "confinement")


def pod() -> list[str]:
    """What starts a program in a fresh container. Raises: SandboxError."""
    bubblewrap.Bubblewrap().capabilities()
    folders, links = rootfs.system_mounts()
    shown = {*folders, "/etc", str(ROOT), sys.prefix, sys.base_prefix}
    words = [*bubblewrap._prefix(), bubblewrap._staged(find_bwrap()), "--unshare-all", "--die-with-parent"]
    words += ["--uid", "1000", "--gid", "1000", "--proc", "/proc", "--dev", "/dev", "--clearenv"]
    for path in sorted(shown):
        words += ["--ro-bind", bubblewrap._staged(Path(path)), path]
    for path, target in links.items():
        words += ["--symlink", target, path]
    for path in ("/tmp", "/var/tmp", "/opt", "/home/me", "/run/lock"):
        words += ["--dir", path]
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/home/me", "PYTHONDONTWRITEBYTECODE": "1"}
    for name, value in env.items():
        words += ["--setenv", name, value]
    return words


@pytest.mark.sandbox
@pytest.mark.slow
def test_all_of_it_in_a_container_of_an_ordinary_user() -> None:
    try:
        command = pod()
    except SandboxError as error:
        pytest.skip(f"no container to try it in: {error}")
    tests = [str(Path(__file__).with_name(f"test_process_{name}.py")) for name in FILES]
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}", "--basetemp=/home/me/pytest", *tests]
    done = subprocess.run([*command, sys.executable, *words], capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def test_without_folders_of_its_own_it_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.os, "access", lambda *_: False)
    with pytest.raises(SandboxUnavailable, match="may not make folders in / and /opt") as caught:
        Process().capabilities()
    assert "run as root" in caught.value.fix
    assert "sandbox" not in {check.name for check in Process().checks()}


@pytest.mark.sandbox
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_user_of_this_machine_without_rights(tmp_path: Path) -> None:
    """`/` is not this user's: nothing is made, and what would help is said."""
    code = (
        "from swesmith_gym.sandboxes.process.backend import Process\n"
        "from swesmith_gym.errors import SandboxUnavailable\n"
        "try: Process().capabilities()\nexcept SandboxUnavailable as error: print(error, error.fix)"
    )
    enter = [*bubblewrap._prefix(), bubblewrap._staged(Path(sys.base_prefix)) + "/bin/python3"]
    env = {"PYTHONPATH": os.pathsep.join([bubblewrap._staged(ROOT), *map(bubblewrap._staged, map(Path, site()))])}
    done = subprocess.run([*enter, "-c", code], env=env, capture_output=True, text=True, check=False, cwd="/")
    assert "may not make folders in / and /opt" in done.stdout, done.stderr
    assert "run as root" in done.stdout


def site() -> list[str]:
    """Folders of third parties that the package needs when it is loaded."""
    return [path for path in sys.path if path.endswith("site-packages")]
