"""A sandbox that runs nothing: commands are answered from a script, files live in memory. For tests and examples.

It isolates nothing since nothing runs in it; its capabilities claim isolation, for
tests of code that demands it.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from swesmith_gym.errors import SandboxDied
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

Answer = ExecResult | bytes | BaseException
"""A result; bytes: that on stdout, exit code 0; an error: raised."""
Script = Mapping[str, Answer] | Callable[[str], Answer]
"""Command -> answer. A command that a mapping does not hold is one that bash does not find."""


def _answer(script: Script, command: str) -> ExecResult:
    if callable(script):
        found = script(command)
    else:
        missing = f"bash: {command}: command not found\n".encode()
        found = script.get(command, ExecResult(127, missing, b"", 0.0))
    if isinstance(found, BaseException):
        raise found
    return found if isinstance(found, ExecResult) else ExecResult(0, found, b"", 0.0)


class ScriptedShell(Shell):
    """The session of a `ScriptedSandbox`."""

    def __init__(self, sandbox: ScriptedSandbox) -> None:
        self._sandbox = sandbox

    def run(self, command: str, *, timeout_s: float = 60.0) -> ExecResult:
        return self._sandbox.run(command, timeout_s=timeout_s)

    @property
    def restarted(self) -> bool:
        return False


class ScriptedSandbox(Sandbox):
    """Answers from `script`, keeps `files` (absolute path -> content and mode), notes `commands` in order."""

    def __init__(self, script: Script, files: Mapping[str, bytes] | None = None) -> None:
        self.commands: list[str] = []
        self.files = {self._full(path): (data, 0o644) for path, data in (files or {}).items()}
        self._script = script
        self._alive = True

    @staticmethod
    def _full(path: str) -> str:
        return posixpath.normpath(posixpath.join(WORKDIR, path))

    def _living(self) -> None:
        if not self._alive:
            raise SandboxDied("the sandbox is closed")

    def run(
        self,
        command: str,
        *,
        timeout_s: float = 60.0,  # noqa: ARG002
        cwd: str = WORKDIR,  # noqa: ARG002
        env: Mapping[str, str] | None = None,  # noqa: ARG002
        stdin: bytes = b"",  # noqa: ARG002
    ) -> ExecResult:
        self._living()
        if "\0" in command:
            raise ValueError("a command cannot hold a NUL byte")
        self.commands.append(command)
        return _answer(self._script, command)

    def shell(self) -> Shell:
        return ScriptedShell(self)

    def read_file(self, path: str, *, limit: int = 64 << 20) -> bytes:
        self._living()
        full = self._full(path)
        if full not in self.files:
            raise FileNotFoundError(2, "No such file or directory", path)
        data = self.files[full][0]
        if len(data) > limit:
            raise OSError(27, f"larger than {limit} bytes", path)
        return data

    def apply(self, changes: tuple[FileChange, ...]) -> None:
        self._living()
        for change in changes:
            if change.data is None:
                self.files.pop(self._full(change.path), None)
            else:
                self.files[self._full(change.path)] = (change.data, change.mode)

    def manifest(self, path: str = WORKDIR, *, max_files: int = 50_000) -> Mapping[str, FileEntry]:
        self._living()
        start = self._full(path).rstrip("/") + "/"
        found = {name.removeprefix(start): file for name, file in self.files.items() if name.startswith(start)}
        if len(found) > max_files:
            raise OSError(f"{path}: more than {max_files} files")
        return {
            name: FileEntry(mode, len(data), hashlib.sha256(data).hexdigest()) for name, (data, mode) in found.items()
        }

    def read_link(self, path: str) -> str:
        self._living()
        data, mode = self.files.get(self._full(path), (b"", 0))
        if mode != 0o120000:
            raise OSError(22, "not a symbolic link", path)
        return data.decode("utf-8", "surrogateescape")

    @property
    def alive(self) -> bool:
        return self._alive

    def close(self) -> None:
        self._alive = False


@dataclass
class ScriptedBackend(SandboxBackend):
    """Starts scripted sandboxes whose files are those of the spec's tree. `started` holds them, in order."""

    script: Script = field(default_factory=dict)
    started: list[ScriptedSandbox] = field(default_factory=list)

    name = "scripted"

    def checks(self) -> list[HostCheck]:
        return [HostCheck("script", True, "needs nothing")]

    def capabilities(self) -> SandboxCapabilities:
        return SandboxCapabilities(network_isolation=True, process_isolation=True, memory_limit="sandbox")

    def start(self, spec: SandboxSpec) -> Sandbox:
        paths = (path for path in sorted(spec.tree.rglob("*")) if path.is_file() and not path.is_symlink())
        files = {path.relative_to(spec.tree).as_posix(): path.read_bytes() for path in paths}
        sandbox = ScriptedSandbox(self.script, files)
        self.started.append(sandbox)
        return sandbox
