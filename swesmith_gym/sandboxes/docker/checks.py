"""Facts about this host's Docker daemon for `doctor`, and the command that provides what is missing."""

from __future__ import annotations

import tempfile
from pathlib import Path

from swesmith_gym.errors import SandboxError, SandboxUnavailable
from swesmith_gym.sandboxes import roots
from swesmith_gym.sandboxes.base import HostCheck, SandboxBackend, SandboxSpec
from swesmith_gym.sandboxes.docker.engine import Engine, engine


def docker_checks(backend: SandboxBackend) -> list[HostCheck]:
    """Every fact, the trial last. Never raises for what a host may lack."""
    try:
        found = engine()
    except SandboxUnavailable as error:
        return [HostCheck("docker daemon", False, str(error), error.fix)]
    checks = [_daemon(found), _limits(found), _root_fs()]
    return [*checks, _trial(backend)] if all(check.ok for check in checks) else checks


def _daemon(found: Engine) -> HostCheck:
    info = found.info
    detail = f"version {info.get('ServerVersion')}, storage {info.get('Driver')}, {info.get('NCPU')} processors"
    return HostCheck("docker daemon", True, detail)


def _limits(found: Engine) -> HostCheck:
    wanted = {"MemoryLimit": "memory", "SwapLimit": "swap", "PidsLimit": "processes"}
    missing = [text for name, text in wanted.items() if not found.info.get(name)]
    detail = f"not limited: {', '.join(missing)}" if missing else "memory, swap and processes can be limited"
    return HostCheck(
        "container limits", "memory" not in missing, detail, "enable the memory controller of control groups"
    )


def _root_fs() -> HostCheck:
    try:
        root = roots.load(roots.chosen(host=False))
    except SandboxUnavailable as error:
        return HostCheck("root file system", False, "there is no portable one", error.fix)
    return HostCheck("root file system", True, f"{root.name} with Python {root.python_version}")


def _trial(backend: SandboxBackend) -> HostCheck:
    try:
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / "tree"
            tree.mkdir()
            with backend.start(SandboxSpec(tree=tree, root_fs=backend.root_fs())) as sandbox:
                result = sandbox.run("echo works > proof && cat proof", timeout_s=20)
    except (SandboxError, OSError) as error:
        return HostCheck("container", False, str(error), getattr(error, "fix", ""))
    ok = result.exit_code == 0
    return HostCheck("container", ok, "starts and runs a command" if ok else result.stderr.decode(errors="replace"))
