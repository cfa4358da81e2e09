"""Group R: a command takes more than it may. The limit ends the command, never the sandbox."""

from __future__ import annotations

from swesmith_gym.records import ExecResult
from swesmith_gym.sandboxes.conformance.case import Case
from swesmith_gym.sandboxes.conformance.probes import TIMED_OUT, Expect, Probe, commands, ended, says, tells
from swesmith_gym.sandboxes.conformance.trial import WAYS, Trial, demand, python, shown

_GROWS = python("x = []\nwhile True: x.append(bytearray(1 << 22))")
_AT_ONCE = python("x = bytearray(1 << 30)")

_THREADS = python(
    "import os, threading, time\n"
    "try:\n"
    "  for _ in range(500): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    "except RuntimeError: os.write(1, b'refused')\n"
    "os._exit(5)"
)
_MAPPED = python(
    "import mmap\n"
    "with open('/dev/shm/mapped', 'wb+') as file:\n"
    "  file.truncate(24 << 20)\n"
    "  memory = mmap.mmap(file.fileno(), 24 << 20)\n"
    "  for at in range(0, 24 << 20, 4096): memory[at] = 1"
)
_DESCRIPTORS = python(
    "kept = []\ntry:\n  while len(kept) < {most}: kept.append(open('/dev/null'))\nexcept OSError: print('refused')"
)
_INODES = python(
    "import os\nos.mkdir('many')\ntry:\n  for n in range(100_000): open(f'many/{n}', 'x').close()\n"
    "except OSError: print('refused')"
)
_ZOMBIES = python("import os\nfor _ in range(40):\n  if not os.fork(): os._exit(0)\nprint('flood')")

_BOTH_FULL = (
    "a=; for f in /tmp/full /dev/shm/full; do head -c 24M /dev/zero > $f 2>/dev/null || a=${a}full; done\n"
    + python("x = bytearray(32 << 20)\nprint('room')")
    + "\necho $a; rm -f /tmp/full /dev/shm/full"
)
_TREE_FULL = (
    "i=0; while [ $i -lt 16 ] && head -c 8M /dev/zero > fill$i 2>/dev/null; do i=$((i+1)); done; rm -f fill*\n"
    "[ $i -lt 16 ] && echo full; echo again > again && cat again && rm again"
)
_TMP_FULL = (
    "i=0; while [ $i -lt 32 ] && head -c 1M /dev/zero > /tmp/part$i 2>/dev/null; do i=$((i+1)); done\n"
    "rm -f /tmp/part*; [ $i -lt 32 ] && echo full; echo again > /tmp/again && cat /tmp/again && rm /tmp/again"
)


def _memory(trial: Trial) -> None:
    """Killed by the kernel, which is said where the limit is the sandbox's; or refused by its own limit."""
    trial.needs_python()
    whole = trial.capabilities.memory_limit == "sandbox"

    def fits(result: ExecResult) -> bool:
        return not result.timed_out and (
            (result.exit_code == 137 and (result.oom_killed or not whole))
            or (result.exit_code == 1 and not result.oom_killed)
        )

    words = "exit code 137, with oom_killed where a limit of the sandbox was hit, or 1"
    for way in WAYS:
        for command in (_GROWS, _AT_ONCE):
            Probe(command, Expect(words, fits)).work(trial, way)


def _memory_of_the_first(trial: Trial) -> None:
    """Process 1 has work to do while a command of the session holds most of the memory, and others want more."""
    trial.needs_python()
    trial.run("head -c 24M /dev/urandom > big; mkdir many; cd many; touch $(seq -f '%0200.0f' 3000)", timeout_s=20)
    hold = python("import time\nx = bytearray(160 << 20)\nprint('held', flush=True)\ntime.sleep(60)")
    trial.shell(f"{{ {hold}\n}} > held 2>&1 & until grep -q . held; do sleep 0.05; done", timeout_s=20)
    trial.run(_GROWS)
    content = trial.call(lambda sandbox: sandbox.read_file("big"))
    demand(len(content) == 24 << 20, f"{len(content)} bytes of a file of 24 MiB were read")
    found = trial.call(lambda sandbox: sandbox.manifest())
    demand(len(found) >= 3004, f"{len(found)} of 3004 files or more were listed")


def _descriptors(trial: Trial) -> None:
    command = _DESCRIPTORS.format(most=trial.spec.limits.open_files)
    commands(Probe(command, says(b"refused\n")))(trial)


def _inodes(trial: Trial) -> None:
    trial.needs_python()
    for way in WAYS:
        result = trial.do(way, _INODES)
        fine = result.timed_out or result.exit_code in (0, 1, 137)
        demand(fine, f"{way}: not a refusal, an end or the time limit, but {shown(result)}")
        trial.goes_on(way)
        trial.do(way, "rm -rf many", timeout_s=60)


CASES = (
    Case(
        "R01",
        "R",
        "fork bomb",
        commands(
            Probe("bomb() { bomb | bomb & }; bomb; sleep 60", TIMED_OUT, 0.7, beside=True),
            Probe("setsid bash -c 'f() { f | f & }; f; sleep 60' & sleep 60", TIMED_OUT, 0.7),
        ),
        ("process_limit",),
    ),
    Case("R02", "R", "threads bomb", commands(Probe(_THREADS, tells(b"refused", 5))), ("process_limit",)),
    Case(
        "R03",
        "R",
        "pids at limit",
        commands(
            Probe("for i in $(seq 500); do sleep 60 & done; wait", TIMED_OUT, 1.0),
            Probe("for i in 1 2 3 4 5 6 7 8; do sleep 0.01 & done; wait; echo all", tells(b"all\n", 0)),
        ),
        ("process_limit",),
    ),
    Case("R04", "R", "memory of exec'd child", _memory, ("memory_limit",)),
    Case("R05", "R", "memory of PID 1", _memory_of_the_first, ("memory_limit",), may_end=True),
    Case(
        "R06",
        "R",
        "memory through tmpfs",
        commands(Probe(_BOTH_FULL, says(b"room\nfullfull\n"))),
        ("memory_limit", "process_isolation"),
    ),
    Case(
        "R07",
        "R",
        "memory through /dev/shm",
        commands(
            Probe("head -c 24M /dev/zero > /dev/shm/full; s=$?; rm /dev/shm/full; (exit $s)", ended(1)),
            Probe(f"{_MAPPED}\ns=$?; rm /dev/shm/mapped; (exit $s)", ended(1, 135, 137)),
        ),
        ("memory_limit", "process_isolation"),
    ),
    Case(
        "R08", "R", "disk fill of writable layer", commands(Probe(_TREE_FULL, says(b"full\nagain\n"))), ("disk_limit",)
    ),
    Case("R09", "R", "inode fill", _inodes, ("disk_limit",)),
    Case("R10", "R", "disk fill of /tmp", commands(Probe(_TMP_FULL, says(b"full\nagain\n"))), ("process_isolation",)),
    Case("R11", "R", "fd exhaustion", _descriptors),
    Case(
        "R12",
        "R",
        "CPU spin",
        commands(
            Probe("while :; do :; done", TIMED_OUT, 0.5, beside=True),
            Probe("while :; do :; done & while :; do :; done", TIMED_OUT, 0.5),
        ),
    ),
    Case(
        "R13",
        "R",
        "zombie flood",
        commands(
            Probe(_ZOMBIES, says(b"flood\n")),
            Probe("for i in $(seq 100); do (sleep 0 &); done; echo flood", tells(b"flood\n", 0)),
        ),
    ),
    Case(
        "R14",
        "R",
        "core dump",
        commands(
            Probe(
                "bash -c 'kill -SEGV $$'; s=$?; echo left: $(ls core* ${TMPDIR:-/tmp}/core* 2>/dev/null); (exit $s)",
                tells(b"left:\n", 139),
            )
        ),
    ),
)
