"""A worker: one sandbox with the runner that stays. Suites are opened in it, run any number of times, and closed.

It asks in the session's shell, where the runner is a co-process: a line goes in, one comes back; requests and reports
are files, since a shell reads what it is told byte by byte.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

from swesmith_gym.errors import SandboxDied
from swesmith_gym.harness.run import read_report, secret_path
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.languages.base import CpuLimits
from swesmith_gym.records import FileChange
from swesmith_gym.sandboxes.base import Sandbox

START_S = 120.0
COLLECT_S = 60.0
"""For a suite to be collected."""
SLACK_S = 60.0
"""For an answer, beyond what its steps may take by themselves."""
_ASK = 'printf "%s\\n" {} >&"${{WARM[1]}}" && IFS= read -r answer <&"${{WARM[0]}}" && printf "%s" "$answer"'

Files = Mapping[str, bytes | None]
Step = dict[str, Any]


class WorkerLost(Exception):
    """The runner has ended, answers nonsense, or does not answer. What was asked may be asked of another worker."""


class NotWarm(WorkerLost):
    """The runner cannot stay: pytest itself needs modules of the work tree. The text names one."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What the runs that one step asked for have left."""

    reports: tuple[bytes, ...]
    cpu_s: tuple[float, ...]
    """Processor time of each run, tests and all."""
    exits: tuple[int | None, ...]
    """Exit code of each run; None: a signal ended it."""


class Worker:
    """Not thread-safe. Made by `start`, closed by whoever started it.

    Raises, in every method that asks: WorkerLost, SandboxDied.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._shell = sandbox.shell()
        self.suites: dict[str, float] = {}
        """Suites of the pristine tree that stay open, and since when (`time.monotonic`)."""
        self.suites_stay = True
        """False once one was refused: collecting leaves files that only one suite may see."""
        self.fit = True
        """False once something in the tree was changed that cannot be put back."""

    @classmethod
    def start(cls, testbed: Testbed, loaded: Collection[str] = ()) -> Worker:
        """A worker in a new sandbox. Raises: NotWarm, WorkerLost, SandboxError."""
        sandbox = testbed.start()
        try:
            worker = cls(sandbox)
            worker._begin(testbed, loaded)
        except BaseException:
            sandbox.close()
            raise
        return worker

    def _begin(self, testbed: Testbed, loaded: Collection[str]) -> None:
        runner = testbed.language.warm_runner(testbed.image.test, loaded)
        env = " ".join(f"{name}={shlex.quote(value)}" for name, value in runner.env.items())
        self._shell.run(f"coproc WARM {{ exec env {env} bash -c {shlex.quote(runner.command)} 2>/dev/null; }}")
        answer = self._ask_line(runner.stdin.decode().rstrip("\n"), START_S)
        if not isinstance(answer, dict) or answer.get("state") != "ready":
            raise WorkerLost("the runner did not start")
        if foreign := answer.get("foreign"):
            raise NotWarm(str(foreign[0]))

    def ask(self, *steps: Step) -> list[Step]:
        """What became of each step."""
        limit = SLACK_S + sum(float(step.get("limit_s", 0)) * int(step.get("runs", 1)) for step in steps)
        request = FileChange(secret_path(), json.dumps(steps).encode())
        try:
            self._sandbox.apply((request,))
        except SandboxDied:
            raise
        except OSError as error:
            self.fit = False
            raise WorkerLost(f"the request cannot be written: {error}") from error
        answers = self._ask_line(request.path, limit)
        if not isinstance(answers, list) or len(answers) != len(steps):
            raise WorkerLost("not one answer for each step")
        if any(answer["state"] == "changed" for answer in answers):
            self.fit = False
        for step, answer in zip(steps, answers, strict=True):
            if answer["state"] in ("ended", "timeout"):
                self.suites.pop(step.get("of", ""), None)
        return answers

    def _ask_line(self, line: str, limit_s: float) -> Any:
        result = self._shell.run(_ASK.format(shlex.quote(line)), timeout_s=limit_s)
        if result.exit_code != 0:
            self.fit = False
            raise WorkerLost("the runner does not answer")
        try:
            return json.loads(result.stdout)
        except ValueError as error:
            self.fit = False
            raise WorkerLost("the answer is not JSON") from error

    def read(self, report: str) -> bytes:
        """A report; empty where there is none."""
        return read_report(self._sandbox, report)

    def ran(self, step: Step, answer: Step) -> Ran:
        """The runs of one `run` step, with their reports."""
        names = [step["report"]] if step["each"] else [f"{step['report']}.{n}" for n in range(step["times"])]
        return Ran(tuple(map(self.read, names)), tuple(answer.get("cpu_s", ())), tuple(answer.get("exits", ())))

    def close(self) -> None:
        """End it and its sandbox. Never raises."""
        self._sandbox.close()


def open_suite(
    name: str,
    files: Files | None = None,
    *,
    left_out: Collection[str] = (),
    limit_s: float,
    trace: bool = False,
    whole: Collection[str] = (),
    asserts: bool = True,
    stays: bool = False,
    of: str | None = None,
    again: Collection[str] = (),
) -> Step:
    """Lay files over the tree and collect. `whole`: one of these files that cannot be collected ends the request.
    `asserts`: failing tests will say what the values were; collecting takes longer. `stays`: it is open while others
    are, and others can be made `of` it, which collect nothing: only the code of functions is exchanged. `again`:
    instead, these files are collected anew, and nothing else; the report says what was found, and the suite ends
    (`collected`). Where that cannot be, the state is `refused`."""
    texts = {
        path: None if data is None else data.decode("utf-8", "surrogateescape") for path, data in (files or {}).items()
    }
    step = {"do": "open", "suite": name, "files": texts, "left_out": sorted(left_out), "report": secret_path()}
    how = {"trace": trace, "whole": sorted(whole), "asserts": asserts, "stays": stays, "of": of, "again": sorted(again)}
    return {**step, **how, "limit_s": limit_s}


def run_suite(
    name: str,
    tests: Sequence[str] | None,
    cpu_limits: CpuLimits,
    *,
    limit_s: float,
    times: int = 1,
    each: bool = False,
    trace: bool = False,
    texts: bool = False,
    most_broken: int | None = None,
) -> Step:
    """Run tests of an open suite, in a fork for each time. `each`: every test in a fork of its own, one report.

    `limit_s`: of each fork, wall time. `texts`: say at length why a test failed. `most_broken`: the run ends when more
    tests than that have failed.
    """
    step = {"do": "run", "suite": name, "tests": tests, "report": secret_path(), "times": times, "each": each}
    runs = len(tests or ()) if each else times
    limits = {"tests": dict(cpu_limits.tests), "default": cpu_limits.default}
    how = {"trace": trace, "texts": texts, "most_broken": most_broken, "cpu_limits": limits}
    return {**step, **how, "limit_s": limit_s, "runs": runs}


def close_suite(name: str | None) -> Step:
    """End a suite, and all that suites have started, and put the tree back; None: without ending one."""
    return {"do": "close", "suite": name}


class Workers:
    """Workers of one testbed that wait for the next one who needs one. Thread-safe; `close` ends those that wait."""

    def __init__(self, testbed: Testbed, loaded: Collection[str] = ()) -> None:
        self.testbed = testbed
        self._loaded = tuple(loaded)
        self._idle: list[Worker] = []
        self._lock = Lock()

    def take(self) -> Worker:
        """One that waits, or a new one: for the caller alone, until it is put back. Raises: as `Worker.start`."""
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        return worker or Worker.start(self.testbed, self._loaded)

    def put(self, worker: Worker) -> None:
        """One that is not needed any more; if it is lost or unfit it is ended."""
        if worker.fit:
            with self._lock:
                self._idle.append(worker)
        else:
            worker.close()

    @contextmanager
    def one(self) -> Iterator[Worker]:
        """One for a while. Whoever leaves by an error leaves it in no known state. Raises: as `Worker.start`."""
        worker = self.take()
        try:
            yield worker
        except BaseException:
            worker.fit = False
            raise
        finally:
            self.put(worker)

    def close(self) -> None:
        """End all that wait."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            with suppress(Exception):
                worker.close()
