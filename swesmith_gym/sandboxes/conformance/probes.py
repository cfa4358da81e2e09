"""Cases that are no more than commands with an expectation of each: the greater part of three groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from swesmith_gym.records import ExecResult
from swesmith_gym.sandboxes.conformance.trial import WAYS, Trial, Way, demand, flags, shown

QUICK_S = 5.0
"""What a command that does next to nothing takes at most, on a busy machine."""


@dataclass(frozen=True, slots=True)
class Expect:
    """What must hold of a result, and the words for it."""

    words: str
    holds: Callable[[ExecResult], bool]


TIMED_OUT = Expect(
    "ended by the time limit, without an exit code", lambda result: result.timed_out and result.exit_code is None
)


def ended(*codes: int) -> Expect:
    """By itself, with one of these exit codes."""
    words = f"an end with exit code {' or '.join(map(str, codes))}"
    return Expect(words, lambda result: not result.timed_out and result.exit_code in codes)


def plain(*codes: int) -> Expect:
    """As `ended`, soon, and taken for nothing else."""
    words = f"a quick end with exit code {' or '.join(map(str, codes))} and no flag"
    return Expect(words, lambda result: not flags(result) and result.exit_code in codes and result.duration_s < QUICK_S)


def says(data: bytes, *codes: int) -> Expect:
    """Exactly this output (stderr aside), and one of these exit codes, or 0."""
    wanted = codes or (0,)
    words = f"the output {data[:40]!r} and exit code {' or '.join(map(str, wanted))}"
    return Expect(words, lambda result: result.stdout == data and not flags(result) and result.exit_code in wanted)


def tells(data: bytes, *codes: int) -> Expect:
    """This somewhere in the output."""
    words = f"{data[:40]!r} in the output and exit code {' or '.join(map(str, codes))}"
    return Expect(words, lambda result: data in result.stdout + result.stderr and ended(*codes).holds(result))


FAILS = Expect("an end with an exit code that is not 0", lambda result: result.exit_code not in (0, None))


@dataclass(frozen=True, slots=True)
class Probe:
    """One command and what must hold of its result."""

    command: str
    expect: Expect
    timeout_s: float = 10.0
    ways: tuple[Way, ...] = WAYS
    beside: bool = False
    """Once more through `run`, beside a session that is alive: there the sweep after a command is another one."""

    def work(self, trial: Trial, way: Way) -> None:
        """Raises: Violation, SandboxDied."""
        result = trial.do(way, self.command, timeout_s=self.timeout_s)
        demand(self.expect.holds(result), f"{way}: not {self.expect.words}, but {shown(result)}")
        trial.goes_on(way)


def commands(*probes: Probe) -> Callable[[Trial], None]:
    """A case that runs each: first all through `run`, where nothing may be left alive, then all through the session."""

    def act(trial: Trial) -> None:
        if any("python3" in probe.command for probe in probes):
            trial.needs_python()
        for probe in probes:
            if "run" in probe.ways:
                probe.work(trial, "run")
                trial.none_left()
        for probe in probes:
            if probe.beside:
                trial.shell(":")
                probe.work(trial, "run")
                trial.none_left()
        for probe in probes:
            if "shell" in probe.ways:
                probe.work(trial, "shell")

    return act
