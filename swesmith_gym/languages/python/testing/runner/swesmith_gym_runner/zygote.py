"""The runner that stays: it has loaded pytest and nothing of the work tree, and forks for each suite that is asked for.

A request is one line, the path of a file that is removed once it is read: JSON, a list of steps. The answer is one
line, a list of what became of each. The first line that comes is no request: it is the specification, as `session.main`
reads it, with `loaded` (modules to load ahead) and `scratch` (folders that nobody else writes to).

    open   `suite` (name), `files` (path -> text, null deletes), `left_out` (test files), `whole` (files that must be
           collected, else the suite ends), `asserts` (false: tests are not rewritten), `report`, `trace`, `limit_s`,
           `stays` (others may live in its process), `of` (null, or the suite in whose process this one is to live:
           nothing is collected, its runs exchange the code of the files, or the state is `refused`), `again` (files:
           they are collected anew instead, and the suite ends)
    run    `suite`, `tests` (ids, null: all), `report`, `times`, `each`, `trace`, `texts`, `cpu_limits`, `limit_s` (of
           each run), `most_broken` (null, or after how many failing tests a run ends)
    close  `suite` (null: none, only what follows)

`open` lays the files and collects; what it collected goes into the report only if nothing can be run, else into that of
every run that names no tests; one that does tells those that it found. After a step that did not go well those behind
it are left out, but for `close`. `close` ends everything that suites have started, other suites aside, and puts the
places back that tests write to.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import socket
import sys
import time
from typing import Any, Callable, Dict, Iterator  # noqa: UP035  (3.8 cannot subscript those of collections.abc)

from . import base, processes, session, showing
from .lines import Lines
from .memo import Memo
from .suite import main as suite_main
from .tidy import Places

Order = Dict[str, Any]  # noqa: UP006  (evaluated, also by 3.8)
GOOD = frozenset({"ready", "done", "collected", "closed"})
SLACK_S = 30.0
"""For a suite to say that a run has ended, beyond the run's own limit."""


class Gone(Exception):
    """A suite has ended, or says nothing in time. The text is the state: `ended` or `timeout`."""


class Suite:
    """The process of one suite, from outside."""

    def __init__(self, end: socket.socket) -> None:
        self.pid = 0
        self.lines = Lines(end)
        self.running = 0
        """Process of the run that is under way."""

    def next(self, limit_s: float) -> dict[str, Any]:
        """The next line. Raises: Gone."""
        until = time.monotonic() + limit_s
        while True:
            line = self.lines.take()
            if line is not None:
                return line
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.lines], [], [], left)[0]:
                raise Gone("timeout")
            if not self.lines.receive():
                raise Gone("ended")

    def send(self, order: Order) -> None:
        """Raises: Gone."""
        try:
            self.lines.send(order)
        except OSError as error:
            raise Gone("ended") from error


class Base:
    """The process that suites are forks of, from outside."""

    def __init__(self, pid: int, control: Lines) -> None:
        self.pid = pid
        self.control = control


class Zygote:
    """Serves requests, one after the other."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._spec = spec
        self._root = session.prepare(spec)
        self._memo = Memo()
        self._memo.install()
        showing.install()
        self._suites: dict[str, Suite] = {}
        self._variants: dict[str, str] = {}
        """Suites that live in the process of another one, and that one's name."""
        self._base: Base | None = None
        self._based = True
        """Suites may begin as forks of a session that has begun."""
        processes.adopt_orphans()
        for name in spec["loaded"]:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        self._places = Places(self._root, spec["scratch"])
        gc.collect()
        gc.freeze()

    @property
    def foreign(self) -> list[str]:
        """Modules of the work tree that are loaded already: what pytest itself needs of it."""
        return base.foreign_modules(self._root)

    def serve(self, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Carry out one request. The reports of the last one are gone after it."""
        self._places.spared = [step["report"] for step in steps if "report" in step]
        answers: list[dict[str, Any]] = []
        for step in steps:
            if step["do"] == "close":
                answers.append(self._close(step))
            elif all(answer["state"] in GOOD for answer in answers):
                try:
                    answers.append(self._open(step) if step["do"] == "open" else self._run(step))
                except Gone as gone:
                    answers.append({"state": str(gone)})
            else:
                answers.append({"state": "left out"})
        return answers

    def _open(self, step: dict[str, Any]) -> dict[str, Any]:
        self._places.lay(step["files"])
        until = time.monotonic() + step["limit_s"]
        if step["of"] is not None:
            return self._open_in(step["of"], step, until)
        if not step["trace"] and self._has_base():
            line = self._begun(step, self._fork_of_base, until)
            if line["state"] != "early":
                return line
            self._end_suite(step["suite"])
            self._end_base()
            self._based = False
        return self._begun(step, self._fork_of_this, until)

    def _begun(self, step: Order, fork: Callable[[Order, socket.socket], None], until: float) -> Order:
        """A new suite, and its first word but for what it has compiled. Raises: Gone."""
        ours, theirs = socket.socketpair()
        fork({**self._spec, **step}, theirs)
        theirs.close()
        suite = Suite(ours)
        line = suite.next(until - time.monotonic())
        suite.pid = line["pid"]
        self._suites[step["suite"]] = suite
        learned = False
        while line["state"] in ("started", "compiled"):
            if line["state"] == "compiled" and not step["files"]:
                self._memo.learn(line["data"])
                learned = True
            line = suite.next(until - time.monotonic())
        if learned:
            self._end_base()
        if line["state"] == "ready":
            line = self._settled(step, line)
        if line["state"] == "refused":
            self._end_suite(step["suite"])
        return _told(line)

    def _open_in(self, of: str, step: Order, until: float) -> Order:
        """A suite in the process of another one, which ends where that does not go as it should. Raises: Gone."""
        suite = self._suites.get(of)
        if suite is None:
            raise Gone("ended")
        try:
            suite.send(step)
            line = suite.next(until - time.monotonic())
        except Gone:
            self._end_suite(of)
            raise
        if line["state"] == "ready":
            self._variants[step["suite"]] = of
            self._places.settle()
        return _told(line)

    def _settled(self, step: Order, line: Order) -> Order:
        """What a suite has made while it was collected stays for its runs. One that stays would lose it to the others:
        it is refused."""
        made = self._places.made() if step["stays"] else []
        if made:
            return {"state": "refused", "why": f"collecting leaves {made[0]}"}
        self._places.settle()
        return line

    def _fork_of_this(self, order: Order, end: socket.socket) -> None:
        if os.fork() == 0:
            self._detach()
            if not order["asserts"]:
                order["args"] = [*order["args"], "--assert=plain"]
            try:
                suite_main(order, end, self._memo, trace=order["trace"])
            finally:
                os._exit(70)

    def _fork_of_base(self, order: Order, end: socket.socket) -> None:
        assert self._base is not None
        try:
            self._base.control.send(order, descriptor=end.fileno())
        except OSError as error:
            self._end_base()
            raise Gone("ended") from error

    def _has_base(self) -> bool:
        """There is one now, if there can be."""
        if not self._based or self._base is not None:
            return self._based
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._detach()
            try:
                base.main({**self._spec, "report": os.devnull}, theirs, self._memo)
            finally:
                os._exit(70)
        theirs.close()
        self._base = Base(pid, Lines(ours))
        said = self._base.control.wait() if select.select([ours], [], [], SLACK_S)[0] else None
        if said is None or not said["fit"]:
            self._end_base()
            self._based = False
        return self._based

    def _end_base(self) -> None:
        if self._base is not None:
            self._base.control.close()
            processes.end(self._base.pid)
            self._base = None

    def _detach(self) -> None:
        """A fork is none of this process's parts any more: it hears and says nothing here."""
        session.empty_stdin()
        for number in (1, 2):
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, number)
            os.close(sink)
        for suite in self._suites.values():
            suite.lines.close()
        if self._base is not None:
            self._base.control.close()

    def _run(self, step: dict[str, Any]) -> dict[str, Any]:
        name = step["suite"]
        suite = self._suites.get(self._variants.get(name, name))
        if suite is None:
            raise Gone("ended")
        suite.send(step)
        ended: dict[str, list[Any]] = {"cpu_s": [], "exits": []}
        state = "done"
        while True:
            try:
                line = suite.next(step["limit_s"] if suite.running else SLACK_S)
            except Gone as gone:
                if str(gone) != "timeout" or not suite.running:
                    raise
                processes.kill(suite.running)
                state, suite.running = "timeout", 0
                continue
            if line["state"] == "done":
                return {"state": state, **ended}
            suite.running = line.get("pid", 0)
            if line["state"] == "ended":
                ended["cpu_s"].append(line["cpu_s"])
                ended["exits"].append(line["exit"])
                self._sweep()
                self._places.tidy()
                suite.send({"do": "go on"})

    def _close(self, step: dict[str, Any]) -> dict[str, Any]:
        self._end_suite(step["suite"])
        self._sweep()
        return {"state": "closed" if self._places.put_back() else "changed"}

    def _end_suite(self, name: str | None) -> None:
        if name in self._variants:
            del self._variants[name]
            return
        suite = self._suites.pop(name, None) if name else None
        if suite is not None:
            processes.end(suite.pid)
            suite.lines.close()
            self._variants = {each: of for each, of in self._variants.items() if of != name}

    def _sweep(self) -> None:
        """End what suites have left behind."""
        own = [each.pid for each in self._suites.values()]
        processes.sweep(frozenset([*own, self._base.pid] if self._base else own))


def main() -> int:
    """Serve until standard input ends."""
    lines = _lines()
    zygote = Zygote(json.loads(next(lines)))
    _answer({"state": "ready", "foreign": zygote.foreign})
    for line in lines:
        _answer(zygote.serve(_request(os.fsdecode(line.rstrip(b"\n")))))
    return 0


def _lines() -> Iterator[bytes]:
    return iter(sys.stdin.buffer.readline, b"")


def _request(path: str) -> list[dict[str, Any]]:
    with open(path, "rb") as file:
        os.unlink(path)
        steps: list[dict[str, Any]] = json.load(file)
    return steps


def _told(line: Order) -> Order:
    """What of a suite's line is an answer."""
    return {"state": line["state"], **({"why": line["why"]} if "why" in line else {})}


def _answer(value: Any) -> None:
    os.write(1, json.dumps(value).encode() + b"\n")
