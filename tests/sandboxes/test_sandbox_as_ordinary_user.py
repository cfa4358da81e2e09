"""The same promises without root: the tests of this folder again, run by an ordinary user."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

UID = 54321
"""Of no other test: processes of the same user that these tests cannot look into would count as left over."""


def _as_user(command: list[str], env: dict[str, str], folder: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=env, cwd=folder, capture_output=True, text=True, check=False, user=UID, group=UID, extra_groups=[]
    )


def _interpreter(env: dict[str, str]) -> str | None:
    """A Python that such a user may run and that finds this installation."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for path in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            done = _as_user([path, "-c", "import pytest, numpy, hypothesis, swesmith_gym.sandboxes"], env, "/")
        except OSError:
            continue
        if done.returncode == 0:
            return path
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="all tests run as an ordinary user already")
def test_all_of_it_without_root(tmp_path_factory: pytest.TempPathFactory) -> None:
    import numpy

    import swesmith_gym

    folder = Path("/tmp") / f"swesmith-gym-user-{os.getpid()}"
    folder.mkdir()
    os.chown(folder, UID, UID)
    root = Path(swesmith_gym.__file__).parents[1]
    env = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "PYTHONPATH": f"{root}:{Path(numpy.__file__).parents[1]}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(folder),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
    }
    try:
        python = _interpreter(env)
        if python is None:
            pytest.skip("no interpreter here that an ordinary user may run")
        tests = ["-m", "pytest", "-q", "-m", "not slow", "-rf", "-p", "no:cacheprovider", f"--rootdir={root}"]
        done = _as_user([python, *tests, str(Path(__file__).parent)], env, str(folder))
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
        assert " passed" in done.stdout
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=False)
