"""Facts about the SWE-ReX deployment for `doctor`, and what provides that which is missing."""

from __future__ import annotations

import tempfile
from pathlib import Path

from swesmith_gym.errors import InputError, SandboxError, SandboxUnavailable
from swesmith_gym.sandboxes.base import HostCheck, SandboxBackend, SandboxSpec
from swesmith_gym.sandboxes.swerex.config import EXAMPLE, VARIABLE, check, load


def swerex_checks(backend: SandboxBackend) -> list[HostCheck]:
    """Every fact, the trial last. Never raises for what a host may lack."""
    try:
        config = load()
        check(config)
    except SandboxUnavailable as error:
        return [HostCheck("SWE-ReX deployment", False, str(error), error.fix)]
    except InputError as error:
        return [HostCheck("SWE-ReX deployment", False, str(error), EXAMPLE)]
    named = HostCheck("SWE-ReX deployment", True, f"type {config.type}, from ${VARIABLE}")
    vouched = "vouched for" if config.isolates else "not vouched for: nothing is graded there"
    return [named, HostCheck("SWE-ReX isolation", True, vouched), _trial(backend)]


def _trial(backend: SandboxBackend) -> HostCheck:
    try:
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / "tree"
            tree.mkdir()
            with backend.start(SandboxSpec(tree=tree)) as sandbox:
                result = sandbox.run("echo works > proof && cat proof", timeout_s=20)
    except (SandboxError, InputError, OSError) as error:
        return HostCheck("SWE-ReX sandbox", False, str(error), getattr(error, "fix", ""))
    ok = result.exit_code == 0
    return HostCheck(
        "SWE-ReX sandbox", ok, "starts and runs a command" if ok else result.stderr.decode(errors="replace")
    )
