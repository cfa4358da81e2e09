"""Starting, watching and ending processes inside the sandbox, as process 1.

Orphans come to process 1, or to the session's shell, which is a subreaper: so whatever is no descendant of that
shell belongs to the command that runs. A sweep stops everything before it kills, so that nothing forks away from it.
Where there is no process namespace, process 1 is any process: a subreaper, whose descendants are the sandbox.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # the public module imports enum
import os
import resource
import select
import time

TYPE_CHECKING = False  # importing typing would take half of the start-up time
if TYPE_CHECKING:
    from collections.abc import Callable

PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
SWEEP_LIMIT_S = 10.0
CHUNK = 1 << 16


def _load_prctl() -> Callable[..., int]:
    """The C library's prctl, by the extension module alone: all of ctypes would take a fifth of the start-up time."""
    try:
        import _ctypes

        address = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]
        return lambda *numbers: _ctypes.call_function(address, numbers)
    except (ImportError, AttributeError):
        import ctypes

        call: Callable[..., int] = ctypes.CDLL(None).prctl
        return call


prctl = _load_prctl()


class Capped:
    """Bytes of which head and tail are kept, half of `cap` each."""

    def __init__(self, cap: int) -> None:
        self._half = max(cap // 2, 1)
        self._head = bytearray()
        self._tail = bytearray()
        self.dropped = 0

    def add(self, data: bytes) -> None:
        room = self._half - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if data:
            self._tail += data
            if len(self._tail) > 4 * self._half + CHUNK:
                self._trim()

    def _trim(self) -> None:
        extra = len(self._tail) - self._half
        if extra > 0:
            del self._tail[:extra]
            self.dropped += extra

    def value(self) -> bytes:
        """All of it, or head, a line that says how much is missing, and tail."""
        self._trim()
        if not self.dropped:
            return bytes(self._head + self._tail)
        return bytes(self._head) + b"\n[... %d bytes of output left out ...]\n" % self.dropped + bytes(self._tail)


class Children:
    """Every child of process 1: how they end is noted for those that are waited for, the others are just reaped."""

    def __init__(self) -> None:
        self.ended: dict[int, int] = {}
        self._watched: set[int] = set()
        self._first = os.getpid() == 1
        self.spared = 0
        """A watched process that a sweep leaves alone."""
        self.wakeup, write_end = os.pipe()
        for end in (self.wakeup, write_end):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)

    def watch(self, pid: int) -> None:
        self._watched.add(pid)

    def forget(self, pid: int) -> None:
        self._watched.discard(pid)
        self.ended.pop(pid, None)

    def reap(self) -> bool:
        """Collect all that have ended. False: no child is left at all."""
        try:
            while os.read(self.wakeup, 4096):
                pass
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid in self._watched:
                self.ended[pid] = status

    def end(self) -> None:
        """The sandbox's end: nothing of it is left."""
        if not self._first:
            self.sweep(0)  # else the kernel ends them with process 1
        os._exit(0)

    def kill_all(self) -> None:
        """End every process of the sandbox but this one. The kernel does it in one step, so nothing forks away."""
        if not self._first:
            self.sweep(0)
            return
        deadline = time.monotonic() + SWEEP_LIMIT_S
        while True:
            _send(-1, signal.SIGKILL)
            if not self.reap():
                return
            if time.monotonic() > deadline:
                os._exit(70)  # something cannot be killed: the driver must not go on with this sandbox
            select.select([self.wakeup], [], [], 0.05)

    def sweep(self, shell: int) -> None:
        """End every process but this one and the session's shell with its descendants."""
        deadline = time.monotonic() + SWEEP_LIMIT_S
        stopped: set[int] = set()
        while True:
            self.reap()
            victims = _outside(shell, 0 if self._first else os.getpid()) - self._alive_spared()
            if not victims:
                self.reap()  # those that have ended since, so that it is noted how
                return
            fresh = victims - stopped
            for pid in fresh or victims:
                _send(pid, signal.SIGSTOP if fresh else signal.SIGKILL)
            stopped |= fresh
            if time.monotonic() > deadline:
                os._exit(70)
            if not fresh:
                stopped.clear()
                select.select([self.wakeup], [], [], 0.002)

    def _alive_spared(self) -> set[int]:
        """Once it was reaped its number may be another's; before that it cannot."""
        return set() if self.spared in self.ended else {self.spared}


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _outside(shell: int, root: int) -> set[int]:
    """Live processes below `root` (0: all) that are neither process 1 nor the shell nor below the shell."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        state, parent = _state(name)
        if state not in ("Z", "X", ""):
            parents[int(name)] = parent
    found = {pid for pid in parents if pid not in (1, root) and not _below(pid, shell, parents)}
    return {pid for pid in found if _below(pid, root, parents)} if root else found


def _state(name: str) -> tuple[str, int]:
    try:
        with open("/proc/" + name + "/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return "", 0
    return fields[0].decode(), int(fields[1])


def _below(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    seen = 0
    while pid > 1 and seen <= len(parents):
        if pid == ancestor:
            return True
        pid = parents.get(pid, 0)
        seen += 1
    return False


def decode_status(status: int) -> int:
    """Exit code of a wait status, 128 + n for death by signal n."""
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


class Start:
    """What a child becomes. `descriptors`: number inside -> ours. `private`: closed before it can be inspected."""

    def __init__(self, argv: list[str], env: dict[str, str], cwd: str, descriptors: dict[int, int]) -> None:
        self.argv = argv
        self.env = env
        self.cwd = cwd
        self.descriptors = descriptors
        self.limits: dict[str, int] = {}
        self.private: list[int] = []
        self.subreaper = False


def spawn(start: Start) -> int:
    """Fork and execute; the child's process id. What goes wrong after the fork is told on its standard error."""
    pid = os.fork()
    if pid:
        return pid
    try:
        _become(start)
    except OSError as error:
        os.write(2, f"sandbox: cannot start: {error}\n".encode("utf-8", "surrogateescape"))
    finally:
        os._exit(126)


def _become(start: Start) -> None:
    for descriptor in start.private:
        os.close(descriptor)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    _place(start.descriptors)
    os.setsid()
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    if start.subreaper:
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _first_to_go()
    os.setresuid(*[os.geteuid()] * 3)  # process 1 may keep another real user, whom its commands cannot signal
    _limit(start.limits)
    os.umask(0o022)
    os.chdir(start.cwd)
    os.execve(start.argv[0], start.argv[1:], start.env)


def _place(descriptors: dict[int, int]) -> None:
    """Put descriptors at their numbers, by way of high ones, since source and target numbers may overlap."""
    import fcntl

    high = {target: fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, 200) for target, source in descriptors.items()}
    for target, source in high.items():
        os.dup2(source, target, inheritable=True)


def _first_to_go() -> None:
    """When memory is short the kernel ends a command before process 1."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        return


def _limit(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        number: int | None = getattr(resource, "RLIMIT_" + name, None)
        if number is None:
            continue
        hard = resource.getrlimit(number)[1]
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (allowed, allowed))
