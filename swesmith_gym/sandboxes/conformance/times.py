"""Group T: time limits, and processes that do not want to end."""

from __future__ import annotations

from swesmith_gym.sandboxes.conformance.case import Case
from swesmith_gym.sandboxes.conformance.probes import TIMED_OUT, Probe, commands, ended, plain, says, tells
from swesmith_gym.sandboxes.conformance.trial import WAYS, Trial, demand, shown

_SIGNALS = "for s in 9 TERM INT HUP CHLD STOP USR1 SEGV; do kill -$s 1; done 2>/dev/null; echo on"


def _two_in_a_row(trial: Trial) -> None:
    for way in WAYS:
        for _ in range(2):
            Probe("sleep 60", TIMED_OUT, 0.2).work(trial, way)
    for way in (*WAYS, *WAYS):
        Probe("sleep 60", TIMED_OUT, 0.2).work(trial, way)


def _after_the_limit(trial: Trial) -> None:
    """Nothing of a command that ran out of time reaches the next: no output, no status; the folder stays."""
    for way in WAYS:
        result = trial.do(way, "cd /; echo early; (sleep 0.6; echo late) & yes late > /dev/null", timeout_s=0.4)
        demand(TIMED_OUT.holds(result), f"{way}: not {TIMED_OUT.words}, but {shown(result)}")
        demand(result.stdout.startswith(b"early\n"), f"{way}: what was said before the limit is lost: {shown(result)}")
        where = b"/testbed" if way == "run" else b"/"
        Probe("pwd; sleep 0.4; (exit 3)", says(where + b"\n", 3)).work(trial, way)


CASES = (
    Case("T01", "T", "sleep past limit", commands(Probe("sleep 60", TIMED_OUT, 0.3, beside=True))),
    Case(
        "T02",
        "T",
        "ignores SIGTERM",
        commands(Probe("trap '' TERM INT HUP; while :; do sleep 1; done", TIMED_OUT, 0.3)),
    ),
    Case("T03", "T", "setsid child", commands(Probe("setsid sleep 600 & echo done", tells(b"done", 0), beside=True))),
    Case(
        "T04",
        "T",
        "double fork",
        commands(Probe("( ( setsid sleep 600 & ) & ); echo done", tells(b"done", 0), beside=True)),
    ),
    Case("T05", "T", "daemon holding stdout", commands(Probe("sleep 600 & (exit 7)", plain(7), beside=True))),
    Case("T06", "T", "child after parent exit", commands(Probe("bash -c 'sleep 600 & exit 3'", plain(3), beside=True))),
    Case(
        "T07",
        "T",
        "SIGSTOP'd child",
        commands(
            Probe("sleep 600 & kill -STOP $!; echo done", tells(b"done", 0), beside=True),
            Probe("sleep 600 & kill -STOP $!; wait $!", TIMED_OUT, 0.3),
            Probe("kill -STOP $$", TIMED_OUT, 0.3),
        ),
    ),
    Case(
        "T08",
        "T",
        "kill of PID 1 from inside",
        commands(Probe(_SIGNALS, tells(b"on\n", 0), beside=True), Probe("kill -9 -1", ended(0, 1, 137))),
        ("process_isolation",),
        may_end=True,
    ),
    Case(
        "T09",
        "T",
        "`exec` to nothing",
        commands(Probe("exec /no/such/program", plain(126, 127)), Probe("exec /tmp", plain(126, 127))),
    ),
    Case(
        "T10",
        "T",
        "exit 124/137 without timeout",
        commands(Probe("exit 124", plain(124)), Probe("exit 137", plain(137)), Probe("bash -c 'exit 137'", plain(137))),
    ),
    Case(
        "T11",
        "T",
        "signal death fast",
        commands(
            Probe("kill -9 $$", plain(137)),
            Probe("bash -c 'kill -9 $$'", plain(137)),
            Probe("bash -c 'kill -ABRT $$'", plain(134)),
            Probe("bash -c 'kill -TERM $$'", plain(143)),
        ),
    ),
    Case(
        "T12",
        "T",
        "timeout during kill",
        commands(Probe("while :; do setsid sleep 60 & done", TIMED_OUT, 0.5, beside=True)),
    ),
    Case("T13", "T", "2 timeouts in a row", _two_in_a_row),
    Case("T14", "T", "command after timeout", _after_the_limit),
)
