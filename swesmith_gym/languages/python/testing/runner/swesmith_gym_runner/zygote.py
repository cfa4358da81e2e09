"""The runner that stays: it has loaded pytest and nothing of the work tree, and forks for each suite that is asked for.

A request is one line of JSON, a list of steps; the answer is one line, a list of what became of each. The first line
that comes is no request: it is the specification, as `session.main` reads it, with `loaded` (modules to
load ahead) and `scratch` (folders that nobody else writes to).

    open   `suite` (name), `files` (path -> text, null deletes), `left_out` (test files), `whole` (files that must be
           collected, else the suite ends), `asserts` (false: tests are not rewritten), `report`, `trace`, `limit_s`
    run    `suite`, `tests` (ids, null: all), `report`, `times`, `each`, `trace`, `texts`, `cpu_limits`, `limit_s` (of
           each run)
    close  `suite` (null: none, only what follows)

`open` lays the files and collects; what it collected goes into the report only if nothing can be run, else into that of
every run. After a step that did not go well those behind it are left out, but for `close`. `close` ends everything that
suites have started, other suites aside, and puts the places back that tests write to.
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
from typing import Any, Iterator  # noqa: UP035  (3.8 cannot subscript those of collections.abc)

from . import processes, session
from .memo import Memo
from .suite import Lines
from .suite import main as suite_main
from .tidy import Places

GOOD = frozenset({"ready", "done", "closed"})
SLACK_S = 30.0
"""For a suite to say that a run has ended, beyond the run's own limit."""


class Gone(Exception):
    """A suite has ended, or says nothing in time. The text is the state: `ended` or `timeout`."""


class Suite:
    """The process of one suite, from outside."""

    def __init__(self, pid: int, end: socket.socket) -> None:
        self.pid = pid
        self._end = end
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
            if left <= 0 or not select.select([self._end], [], [], left)[0]:
                raise Gone("timeout")
            if not self.lines.receive():
                raise Gone("ended")


class Zygote:
    """Serves requests, one after the other."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._spec = spec
        self._root = session.prepare(spec)
        self._memo = Memo()
        self._memo.install()
        self._suites: dict[str, Suite] = {}
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
        found = {name: getattr(module, "__file__", None) or "" for name, module in list(sys.modules.items())}
        return sorted(name for name, path in found.items() if path.startswith(self._root + "/"))

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
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._become(step, theirs)
        theirs.close()
        suite = self._suites[step["suite"]] = Suite(pid, ours)
        until = time.monotonic() + step["limit_s"]
        line = suite.next(until - time.monotonic())
        while line["state"] == "compiled":
            if not step["files"]:
                self._memo.learn(line["data"])
            line = suite.next(until - time.monotonic())
        del line["data"]
        return line

    def _become(self, step: dict[str, Any], end: socket.socket) -> None:
        session.empty_stdin()
        for number in (1, 2):
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, number)
            os.close(sink)
        for suite in self._suites.values():
            suite.lines.close()
        try:
            spec = {**self._spec, "report": step["report"], "whole": step["whole"]}
            if not step["asserts"]:
                spec["args"] = [*spec["args"], "--assert=plain"]
            suite_main(spec, end, self._memo, left_out=step["left_out"], trace=step["trace"])
        finally:
            os._exit(70)

    def _run(self, step: dict[str, Any]) -> dict[str, Any]:
        suite = self._suites[step["suite"]]
        try:
            suite.lines.send(step)
        except OSError as error:
            raise Gone("ended") from error
        cpu_s: list[float] = []
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
                return {"state": state, "cpu_s": cpu_s}
            suite.running = line.get("pid", 0)
            if line["state"] == "ended":
                cpu_s.append(line["cpu_s"])
                processes.sweep(frozenset(each.pid for each in self._suites.values()))

    def _close(self, step: dict[str, Any]) -> dict[str, Any]:
        suite = self._suites.pop(step["suite"], None)
        if suite is not None:
            suite.lines.close()
            processes.end(suite.pid)
        processes.sweep(frozenset(each.pid for each in self._suites.values()))
        return {"state": "closed" if self._places.put_back() else "changed"}


def main() -> int:
    """Serve until standard input ends."""
    lines = _lines()
    zygote = Zygote(json.loads(next(lines)))
    _answer({"state": "ready", "foreign": zygote.foreign})
    for line in lines:
        _answer(zygote.serve(json.loads(line)))
    return 0


def _lines() -> Iterator[bytes]:
    return iter(sys.stdin.buffer.readline, b"")


def _answer(value: Any) -> None:
    os.write(1, json.dumps(value).encode() + b"\n")
