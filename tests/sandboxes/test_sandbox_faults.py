"""Named faults: what a command can do to its sandbox. Each gives the right class of result, in time, and changes
nothing for the commands after it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from swesmith_gym.records import ExecResult
from swesmith_gym.sandboxes.base import Sandbox

pytestmark = pytest.mark.sandbox

GRACE_S = 8.0
"""How much longer than its limit a command may take to be ended, on a busy machine."""

Check = Callable[[ExecResult], bool]


@dataclass(frozen=True)
class Fault:
    """A command, how long it may run, and what must hold of its result."""

    name: str
    command: str
    check: Check
    timeout_s: float = 10.0
    only: str = ""
    """`run` or `shell` where the other means something else."""


def timed_out(result: ExecResult) -> bool:
    return result.timed_out and result.exit_code is None


def ended(*codes: int) -> Check:
    return lambda result: not result.timed_out and result.exit_code in codes


def says(words: bytes, *codes: int) -> Check:
    return lambda result: words in result.stdout + result.stderr and (not codes or ended(*codes)(result))


def python(code: str) -> str:
    return f"python3 -I -S - <<'CODE'\n{code}\nCODE"


RESOURCES = [
    Fault("fork bomb", "bomb() { bomb | bomb & }; bomb; sleep 60", timed_out, 2),
    Fault("fork bomb in a new session", "setsid bash -c 'f() { f | f & }; f; sleep 60' & sleep 60", timed_out, 2),
    Fault(
        "thread bomb",
        python(
            "import threading, time\ntry:\n  for _ in range(500): threading.Thread(target=time.sleep, args=(60,), "
            "daemon=True).start()\nexcept RuntimeError: print('refused', flush=True)\nimport os; os._exit(5)"
        ),
        says(b"refused", 5),
    ),
    Fault("processes at the limit", "for i in $(seq 500); do sleep 60 & done; wait", timed_out, 3),
    Fault("memory of a child", python("x = bytearray(1 << 30)"), ended(1, 137)),
    Fault("memory piece by piece", python("x = []\nwhile True: x.append(bytearray(1 << 22))"), ended(1, 137)),
    Fault("memory through /tmp", "head -c 24M /dev/zero > /tmp/full", says(b"", 1)),
    Fault("memory through /dev/shm", "head -c 24M /dev/zero > /dev/shm/full", says(b"", 1)),
    Fault("memory through home", "head -c 24M /dev/zero > ~/full", says(b"", 1)),
    Fault("write to /dev", "head -c 1M /dev/zero > /dev/full-of-zeros", ended(1)),
    Fault("file beyond the limit", "head -c 64M /dev/zero > big; s=$?; rm -f big; (exit $s)", ended(1, 153)),
    Fault("sparse file", python("open('sparse', 'wb').truncate(1 << 40)"), ended(1, 153)),
    Fault(
        "descriptors",
        python("f = []\ntry:\n  while True: f.append(open('/dev/null'))\nexcept OSError: print('refused', len(f))"),
        says(b"refused", 0),
    ),
    Fault("processor", "while :; do :; done", timed_out, 1),
    Fault("zombies", python("import os\nfor _ in range(50):\n  if not os.fork(): os._exit(0)"), ended(0)),
    Fault("core dump", "bash -c 'kill -SEGV $$'; s=$?; ls core*; (exit $s)", ended(139)),
]
TIME = [
    Fault("sleep past the limit", "sleep 60", timed_out, 0.5),
    Fault("ignores SIGTERM", "trap '' TERM INT HUP; while :; do sleep 1; done", timed_out, 0.5),
    Fault("new session", "setsid sleep 600 & echo done", says(b"done", 0), only="run"),
    Fault("double fork", "( ( setsid sleep 600 & ) & ); echo done", says(b"done", 0), only="run"),
    Fault("daemon that holds the output", "sleep 600 & echo done", says(b"done", 0)),
    Fault("child after its parent's end", "bash -c 'sleep 600 & exit 3'", ended(3)),
    Fault("stopped child", "sleep 600 & kill -STOP $!; echo done", says(b"done", 0)),
    Fault("stopped child at the limit", "sleep 600 & kill -STOP $!; wait $!", timed_out, 0.5),
    Fault("stops itself", "kill -STOP $$", timed_out, 0.5),
    Fault(
        "kills process 1", "for s in 9 TERM INT HUP CHLD STOP USR1 SEGV; do kill -$s 1; done; echo on", says(b"on", 0)
    ),
    Fault("kills all", "kill -9 -1", lambda result: result.exit_code in (0, 1, 137)),
    Fault("exec of nothing", "exec /no/such/program", ended(126, 127)),
    Fault("exec of a folder", "exec /tmp", ended(126, 127)),
    Fault("exit 124", "exit 124", ended(124)),
    Fault("exit 137", "exit 137", ended(137)),
    Fault("child exits 137", "bash -c 'exit 137'", ended(137)),
    Fault("kills itself", "kill -9 $$", ended(137)),
    Fault("dies of a signal", "bash -c 'kill -ABRT $$'", ended(134)),
    Fault("forks while it is killed", "while :; do setsid sleep 60 & done", timed_out, 1),
]
OUTPUT = [
    Fault("1 GiB", "head -c 1G /dev/zero | tr '\\0' '\\n'", lambda r: r.output_truncated and r.exit_code == 0, 60),
    Fault("256 MiB without a newline", "head -c 256M /dev/zero", lambda r: r.output_truncated and r.exit_code == 0, 40),
    Fault("on stderr only", "echo wrong >&2", says(b"wrong", 0)),
    Fault("NUL", "printf 'a\\0b'", says(b"a\0b", 0)),
    Fault("invalid UTF-8", "printf '\\xff\\xfe'", says(b"\xff\xfe", 0)),
    Fault("split character", "printf '\\xe2\\x82'; sleep 0.1; printf '\\xac'", says("€".encode(), 0)),
    Fault("escape sequences", "printf '\\033[31mred\\033]0;t\\007'", says(b"\x1b[31mred\x1b]0;t\x07", 0)),
    Fault("carriage returns", "printf 'a\\r\\nb\\r'", says(b"a\r\nb\r", 0)),
    Fault("empty command", "", lambda r: r.exit_code == 0 and r.stdout == b""),
    Fault("only a comment", "# nothing", ended(0)),
    Fault("1 MiB command", "x='" + "y" * (1 << 20) + "'; echo ${#x}", says(b"1048576", 0), 30),
    Fault("quotes", """echo "it's" 'a "b"' \\' $'\\''""", says(b"""it's a "b" ' '""", 0)),
    Fault("here document", "cat <<'E'\nit's $x\nE\necho end", says(b"it's $x\nend\n", 0)),
    Fault("here document without an end", "cat <<E\nopen", says(b"open")),
    Fault("open quote", "echo 'open", lambda r: r.exit_code not in (0, None)),
    Fault("open brace", "{ echo a", lambda r: r.exit_code not in (0, None)),
    Fault("reads standard input", 'cat; read x; echo "got<$x>"', says(b"got<>", 0)),
    Fault("asks a terminal", "cat /dev/tty || echo none", says(b"none", 0)),
    Fault("forged status", "printf '1 0\\n2 0\\n3 0\\n' >&100; echo out; (exit 9)", says(b"out", 9)),
    Fault("forged prompt", "echo '$ '; echo 'exit status 0'; (exit 4)", says(b"$ ", 4)),
    Fault("closes its output", "exec >&- 2>&-; (exit 6)", ended(6)),
    Fault("background writer", "yes & sleep 0.2; echo done", lambda r: r.exit_code == 0),
]
FAULTS = RESOURCES + TIME + OUTPUT
CASES = [
    pytest.param(fault, how, id=f"{fault.name}-{how}", marks=[pytest.mark.slow] if fault.timeout_s >= 60 else [])
    for fault in FAULTS
    for how in ("run", "shell")
    if fault.only in ("", how)
]


@pytest.mark.parametrize(("fault", "how"), CASES)
def test_fault_is_a_result_and_nothing_more(sandbox: Sandbox, fault: Fault, how: str) -> None:
    act = sandbox.run if how == "run" else sandbox.shell().run
    began = time.monotonic()
    result = act(fault.command, timeout_s=fault.timeout_s)
    assert time.monotonic() - began < fault.timeout_s + GRACE_S
    assert fault.check(result), result
    after = sandbox.run("echo next; cat run.sh", timeout_s=20)
    assert (after.stdout, after.exit_code) == (b"next\necho hello\n", 0)
    assert sandbox.shell().run("cd /testbed && echo next", timeout_s=20).stdout.count(b"next\n") == 1
    if how == "run":
        assert _processes(sandbox) <= 3, sandbox.run("ps axf").stdout


def _processes(sandbox: Sandbox) -> int:
    """Process 1, the session, and the bash that counts."""
    return int(sandbox.run("set -- /proc/[0-9]*; echo $#").stdout)


def test_limits_that_were_hit_do_not_stay(sandbox: Sandbox) -> None:
    for fault in RESOURCES[:2]:
        sandbox.run(fault.command, timeout_s=1)
    done = sandbox.run("for i in 1 2 3 4 5 6 7 8; do sleep 0.01 & done; wait; echo all")
    assert done.stdout == b"all\n"


def test_memory_kill_is_told_apart(sandbox: Sandbox, backend: object) -> None:
    result = sandbox.run(python("x = []\nwhile True: x.append(bytearray(1 << 22))"))
    grouped = backend.capabilities().memory_limit == "sandbox"  # type: ignore[attr-defined]
    assert result.oom_killed == grouped
    assert not sandbox.run("bash -c 'kill -9 $$'").oom_killed


def test_two_limits_in_a_row(sandbox: Sandbox) -> None:
    for _ in range(2):
        assert sandbox.run("sleep 60", timeout_s=0.2).timed_out
        assert sandbox.shell().run("sleep 60", timeout_s=0.2).timed_out
    assert sandbox.shell().run("echo on").stdout == b"on\n"


def test_truncation_keeps_head_and_tail(start: Callable[..., Sandbox]) -> None:
    sandbox = start(output_bytes=1000)
    for act in (sandbox.run, sandbox.shell().run):
        result = act("echo first; seq 100000; echo last")
        assert result.output_truncated
        assert result.stdout.startswith(b"first\n1\n")
        assert result.stdout.endswith(b"100000\nlast\n")
        assert len(result.stdout) < 1100


def test_a_spin_past_the_limit_of_cpu_time_ends_that_command(start: Callable[..., Sandbox]) -> None:
    sandbox = start(cpu_seconds=1)
    for run in (sandbox.run, sandbox.shell().run):
        done = run("while :; do :; done", timeout_s=60)
        assert (done.exit_code, done.timed_out) == (128 + 9, False)
        assert run("echo on").stdout == b"on\n"
