"""Bubblewrap with one promise broken: what the conformance suite must find."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from swesmith_gym.records import ExecResult, FileChange, FileEntry
from swesmith_gym.sandboxes.base import (
    WORKDIR,
    HostCheck,
    Sandbox,
    SandboxBackend,
    SandboxCapabilities,
    SandboxSpec,
    Shell,
)
from swesmith_gym.sandboxes.bubblewrap import Bubblewrap

Act = Callable[[], ExecResult]
Bend = Callable[[Sandbox, str, Act], ExecResult]
"""What a flawed sandbox makes of a command: the sandbox below, the command's text, and what would run it."""


def as_it_is(sandbox: Sandbox, command: str, act: Act) -> ExecResult:
    return act()


@dataclass(frozen=True)
class Flawed(SandboxBackend):
    """Bubblewrap with one promise broken."""

    bend: Bend = as_it_is
    spoil: Callable[[SandboxSpec], object] = lambda spec: None
    """Done at every start."""
    respec: Callable[[SandboxSpec], SandboxSpec] = lambda spec: spec
    apply: Callable[[Sandbox, tuple[FileChange, ...]], None] = lambda sandbox, changes: sandbox.apply(changes)
    left: list[str] = field(default_factory=list)
    declared: Mapping[str, object] = field(default_factory=dict)

    name = "flawed"

    def checks(self) -> list[HostCheck]:
        return []

    def capabilities(self) -> SandboxCapabilities:
        return replace(Bubblewrap().capabilities(), **self.declared)  # type: ignore[arg-type]

    def start(self, spec: SandboxSpec) -> Sandbox:
        sandbox = FlawedSandbox(self, Bubblewrap().start(self.respec(spec)))
        self.spoil(spec)
        return sandbox

    def own(self, folder: Path) -> None:
        Bubblewrap().own(folder)

    def leftovers(self) -> list[str]:
        return list(self.left)


class FlawedShell(Shell):
    def __init__(self, sandbox: FlawedSandbox) -> None:
        self.sandbox = sandbox

    def run(self, command: str, *, timeout_s: float = 60.0) -> ExecResult:
        inner = self.sandbox.inner
        return self.sandbox.flaw.bend(inner, command, lambda: inner.shell().run(command, timeout_s=timeout_s))

    @property
    def restarted(self) -> bool:
        return self.sandbox.inner.shell().restarted


class FlawedSandbox(Sandbox):
    def __init__(self, flaw: Flawed, inner: Sandbox) -> None:
        self.flaw = flaw
        self.inner = inner

    def run(
        self,
        command: str,
        *,
        timeout_s: float = 60.0,
        cwd: str = WORKDIR,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> ExecResult:
        run = partial(self.inner.run, command, timeout_s=timeout_s, cwd=cwd, env=env, stdin=stdin)
        return self.flaw.bend(self.inner, command, run)

    def shell(self) -> Shell:
        return FlawedShell(self)

    def read_file(self, path: str, *, limit: int = 64 << 20) -> bytes:
        return self.inner.read_file(path, limit=limit)

    def apply(self, changes: tuple[FileChange, ...]) -> None:
        self.flaw.apply(self.inner, changes)

    def manifest(self, path: str = WORKDIR, *, max_files: int = 50_000) -> Mapping[str, FileEntry]:
        return self.inner.manifest(path, max_files=max_files)

    def read_link(self, path: str) -> str:
        return self.inner.read_link(path)

    @property
    def alive(self) -> bool:
        return self.inner.alive

    def close(self) -> None:
        self.inner.close()


def timeout_by_code(sandbox: Sandbox, command: str, act: Act) -> ExecResult:
    result = act()
    return replace(result, timed_out=True) if result.exit_code == 124 else result


class Unfit(Flawed):
    """As somebody else's backend: made without arguments."""

    def __init__(self) -> None:
        super().__init__(bend=timeout_by_code)
