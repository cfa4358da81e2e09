"""One sandbox while a case works on it: timed calls of the contract, and what must hold after each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from swesmith_gym.errors import SandboxDied
from swesmith_gym.records import ExecResult
from swesmith_gym.sandboxes.base import WORKDIR, Sandbox, SandboxBackend, SandboxCapabilities, SandboxSpec
from swesmith_gym.sandboxes.conformance.traces import Traces
from swesmith_gym.sandboxes.conformance.worker import CannotRun, Overdue, Violation, Worker

T = TypeVar("T")
Way = Literal["run", "shell"]
"""What runs a command: `Sandbox.run`, or `Shell.run` of its session."""
WAYS: tuple[Way, ...] = ("run", "shell")

GRACE_S = 8.0
"""How much longer than its limit a call may take, on a busy machine."""
START_S = 120.0
CLOSE_S = 60.0
FILES_S = 30.0
"""For a call about files: the contract names no limit, but these files are small."""
NEXT_S = 20.0
_NEXT = "echo next; cat run.sh"
_SAID = b"next\necho hello\n"


def demand(holds: bool, words: str) -> None:
    """`words`: what is wrong where it does not hold. Raises: Violation."""
    if not holds:
        raise Violation(words)


def flags(result: ExecResult) -> list[str]:
    """What a result says beside its exit code and output."""
    found = [("timed_out", result.timed_out), ("oom_killed", result.oom_killed), ("cut", result.output_truncated)]
    return [name for name, holds in found if holds]


def shown(result: ExecResult) -> str:
    """A result on one line, for a finding."""
    texts = [f"{name} {data[-80:]!r}" for name, data in (("stdout", result.stdout), ("stderr", result.stderr)) if data]
    return ", ".join([f"exit code {result.exit_code}", *flags(result), *texts])


def python(code: str) -> str:
    """A command that runs Python code without the site's packages."""
    return f"python3 -I -S - <<'CODE'\n{code}\nCODE"


class Trial:
    """Made, opened and closed by `run.check`; a case gets it open. Not thread-safe."""

    def __init__(
        self, backend: SandboxBackend, spec: SandboxSpec, capabilities: SandboxCapabilities, traces: Traces
    ) -> None:
        self.spec = spec
        self.capabilities = capabilities
        self.traces = traces
        self._backend = backend
        self._worker = Worker()
        self._sandbox: Sandbox | None = None
        self._idle = 0
        self._session = False

    @property
    def folder(self) -> Path:
        """On the host, beside the work tree: what lies there is nothing that code inside may reach."""
        return self.spec.tree.parent

    def open(self) -> None:
        """Start the sandbox, and note where it lives. Raises: as `SandboxBackend.start`, Violation."""
        self._sandbox = self._worker.do(lambda: self._backend.start(self.spec), START_S)
        self._session = False
        said = self.run("id -u; readlink /proc/self/ns/pid", timeout_s=NEXT_S)
        user, _, namespace = said.stdout.decode(errors="replace").strip().partition("\n")
        demand(user.isdigit(), f"the first command does not work: {shown(said)}")
        self.traces.see(namespace, int(user))
        self._idle = self._count()

    def renew(self) -> None:
        """Another sandbox in place of one that has ended. Raises: as `open`."""
        self.close()
        self._worker = Worker()
        self.open()

    def close(self) -> None:
        """End the sandbox and the thread that used it. Raises: Violation (it takes too long)."""
        sandbox, self._sandbox = self._sandbox, None
        if self._worker.stuck:  # closing is what should free it
            self._worker.end()
            self._worker = Worker()
        try:
            if sandbox is not None:
                self._worker.do(sandbox.close, CLOSE_S)
        finally:
            self._worker.end()

    def call(self, act: Callable[[Sandbox], T], limit_s: float = FILES_S) -> T:
        """One call of the contract. Raises: Overdue, and what the call raises."""
        sandbox = self._sandbox
        if sandbox is None:
            raise SandboxDied("the sandbox is closed")
        try:
            return self._worker.do(lambda: act(sandbox), limit_s + GRACE_S)
        except Overdue:
            raise Overdue(f"did not come back within its limit of {limit_s:g} s and {GRACE_S:g} s more") from None

    def run(self, command: str, *, timeout_s: float = 10.0, stdin: bytes = b"") -> ExecResult:
        return self.call(lambda sandbox: sandbox.run(command, timeout_s=timeout_s, stdin=stdin), timeout_s)

    def shell(self, command: str, *, timeout_s: float = 10.0) -> ExecResult:
        self._session = True
        return self.call(lambda sandbox: sandbox.shell().run(command, timeout_s=timeout_s), timeout_s)

    def do(self, way: Way, command: str, *, timeout_s: float = 10.0) -> ExecResult:
        return self.run(command, timeout_s=timeout_s) if way == "run" else self.shell(command, timeout_s=timeout_s)

    def python(self, way: Way, code: str, *, timeout_s: float = 10.0) -> ExecResult:
        """Raises: as `needs_python`."""
        self.needs_python()
        return self.do(way, python(code), timeout_s=timeout_s)

    def needs_python(self) -> None:
        """Raises: CannotRun (there is none inside)."""
        if self.run("command -v python3").exit_code != 0:
            raise CannotRun("python3 is not on the PATH of the sandbox")

    def refusal(self, act: Callable[[Sandbox], object], words: str, *kinds: type[OSError]) -> OSError:
        """The error of a call that must fail, with one of these. `words`: what is wrong if it does not.

        Raises: Violation, SandboxDied.
        """
        try:
            self.call(act)
        except SandboxDied:
            raise
        except OSError as error:
            named = type(error).__name__
            demand(not kinds or isinstance(error, kinds), f"{named} in place of {kinds[0].__name__ if kinds else ''}")
            return error
        raise Violation(words)

    def goes_on(self, way: Way) -> None:
        """The next command works, as if nothing had been before it. Raises: Violation, SandboxDied."""
        result = self.do(way, _NEXT if way == "run" else f"cd {WORKDIR} && {{ {_NEXT}; }}", timeout_s=NEXT_S)
        said = result.stdout == _SAID if way == "run" else _SAID in result.stdout
        fine = said and result.exit_code == 0 and not flags(result)
        demand(fine, f"the next command through {way} does not work: {shown(result)}")

    def none_left(self) -> None:
        """Nothing that `run` started is alive; the session has nothing in the background. Raises: Violation."""
        allowed = self._idle + self._session
        found = self._count(allowed)
        demand(found <= allowed, f"{found - allowed} processes of a command are alive after its end")

    def _count(self, allowed: int = 0) -> int:
        """Processes inside, with a moment to get down to `allowed`: what a command started may end a little after its
        answer. Where the sandbox sees the host's processes, those that the host knows to be of it."""
        if not self.capabilities.process_isolation:
            return len(self.traces.alive())
        count = "set -- /proc/[0-9]*"
        wait = f"for i in $(seq 40); do {count}; [ $# -le {allowed} ] && break; sleep 0.05; done"
        result = self.run(f"{wait if allowed else count}; echo $#", timeout_s=NEXT_S)
        demand(result.stdout.strip().isdigit(), f"cannot count the processes inside: {shown(result)}")
        return int(result.stdout)
