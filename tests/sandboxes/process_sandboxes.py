"""What the tests of the process backend share: the backend where this machine can have it, and looking around."""

from __future__ import annotations

import os
import select

import pytest

from swesmith_gym.errors import SandboxUnavailable
from swesmith_gym.sandboxes.base import Sandbox
from swesmith_gym.sandboxes.process import turn
from swesmith_gym.sandboxes.process.backend import Process
from swesmith_gym.sandboxes.process.places import INDEX, TMP, home_inside

AS_ROOT = os.geteuid() == 0


@pytest.fixture
def backend() -> Process:
    found = Process()
    try:
        found.capabilities()
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    return found


def peer(sandbox: Sandbox) -> int:
    pid: int = sandbox._peer.pid  # type: ignore[attr-defined]
    return pid


def out(sandbox: Sandbox, command: str) -> str:
    result = sandbox.run(command, timeout_s=20)
    return (result.stdout + result.stderr).decode()


def gone(pid: int, limit_s: float = 10.0) -> bool:
    """Ended within the limit."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], limit_s)[0])
    finally:
        os.close(handle)


def left_on_the_machine() -> list[str]:
    paths = ["/testbed", TMP, home_inside(), "/opt/sandbox", "/opt/shown", "/opt/lent", INDEX, str(turn.FILE)]
    return [path for path in paths if os.path.lexists(path)]
