"""Sandboxes for these tests: a fresh state folder, a small tree, and backends that this host can run."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from swesmith_gym.errors import SandboxUnavailable
from swesmith_gym.sandboxes.base import Limits, Sandbox, SandboxBackend, SandboxSpec
from swesmith_gym.sandboxes.registry import available

LIMITS = Limits(memory_bytes=256 << 20, processes=64, file_bytes=32 << 20, open_files=512, tmp_bytes=16 << 20)
"""Small, so that reaching them is quick."""

Start = Callable[..., Sandbox]


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the portable root file systems that `$SWESMITH_GYM_TEST_ROOTS` holds: making one takes a minute."""
    folder = tmp_path_factory.mktemp("state")
    roots = os.environ.get("SWESMITH_GYM_TEST_ROOTS", "")
    if roots:
        (folder / "roots").symlink_to(roots)
    return folder


@pytest.fixture(autouse=True)
def own_state(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWESMITH_GYM_HOME", str(state))


BACKENDS = ("bubblewrap", "docker")
"""Those that are promised the whole contract; the others have tests of their own."""


@pytest.fixture(autouse=True)
def in_turn(request: pytest.FixtureRequest) -> Iterator[None]:
    """Sandboxes of the process backend are at fixed paths of this machine: their tests do not run side by side."""
    if not request.module.__name__.startswith("test_process_"):
        yield
        return
    with open(Path(tempfile.gettempdir()) / f"swesmith-gym-process-tests-{os.geteuid()}", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> SandboxBackend:
    found = next(one for one in available() if one.name == request.param)
    try:
        found.root_fs()
    except SandboxUnavailable as error:
        if "SWESMITH_GYM_TEST_ROOTS" in os.environ and os.geteuid() == 0:
            raise  # where everything was set up, nothing is left out
        pytest.skip(f"{error} (fix: {error.fix})")
    return found


@pytest.fixture
def tree(backend: SandboxBackend, tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "pkg").mkdir(parents=True)
    (folder / "pkg" / "code.py").write_text("x = 1\n")
    (folder / "run.sh").write_text("echo hello\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("pkg/code.py")
    backend.own(folder)
    return folder


@pytest.fixture
def start(backend: SandboxBackend, tree: Path) -> Iterator[Start]:
    """Starts sandboxes and closes them at the end. Keywords are fields of the spec, or of its limits."""
    running: list[Sandbox] = []

    def make(**fields: object) -> Sandbox:
        limits = {name: fields.pop(name) for name in list(fields) if hasattr(LIMITS, name)}
        spec = SandboxSpec(tree=tree, limits=replace(LIMITS, **limits), root_fs=backend.root_fs())  # type: ignore[arg-type]
        sandbox = backend.start(replace(spec, **fields))  # type: ignore[arg-type]
        running.append(sandbox)
        return sandbox

    yield make
    for sandbox in running:
        sandbox.close()


@pytest.fixture
def sandbox(start: Start) -> Sandbox:
    return start()


def text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
