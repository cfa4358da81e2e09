"""A suite that has been collected and waits: each run of its tests is a fork of it.

It is a fork itself, of a process that has loaded pytest and nothing of the work tree, and it talks to that one over a
socket, a line of JSON for each order and answer.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import stat
import sys
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, NoReturn  # noqa: UP035  (3.8 cannot subscript those of collections.abc)

import pytest

from . import recollect, session, showing
from .channel import Channel, Recorder
from .exchange import Exchange, New, Refused, put
from .limit import CpuLimitPlugin
from .lines import Lines
from .memo import Memo
from .plugin import ReportPlugin
from .tracing import Trace

Order = Dict[str, Any]  # noqa: UP006  (evaluated, also by 3.8)


class SuitePlugin:
    """Takes over where pytest would run the first test. In a fork, pytest then goes on with the tests of that run."""

    def __init__(
        self, spec: dict[str, Any], orders: Lines, report: ReportPlugin, recorder: Recorder, trace: Trace, memo: Memo
    ) -> None:
        self._root = os.path.realpath(spec["root"])
        self._path = spec["report"]
        self._whole = spec["whole"]
        self._stays = spec["stays"]
        self._plugins = spec["plugins"]
        self._exchange: Exchange | None = None
        self._codes: Dict[str, List[New]] = {}  # noqa: UP006
        """What the functions are in the runs of another suite, which has no process of its own."""
        self._orders = orders
        self._report = report
        self._recorder = recorder
        self._trace = trace
        self._memo = memo
        self._offsets: Dict[int, int] = {}  # noqa: UP006
        self.limit = CpuLimitPlugin(recorder, {}, 0.0)
        """Registered once: each run, a fork, sets its limits."""
        self.channel: Channel | None = None
        """Of the run that this process is the fork for."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool | None:
        """Serves orders for as long as there are any. Returns in forks, and where what is needed is not collected."""
        items = {item.nodeid: item for item in session.items}
        broken = [line["path"] for kind, line in self._recorder.lines if kind == "broken"]
        for part in self._memo.fresh():
            self._orders.send({"state": "compiled"}, part)
        if not {"", *self._whole}.isdisjoint(broken):
            return True
        if self._trace.on:
            self._tell_collection()
        if self._stays:
            self._expect_forks(session.items)
        self._offsets = _offsets()
        gc.freeze()  # what forks do not look through they need not copy
        self._orders.send({"state": "ready"})
        while True:
            order = self._orders.wait()
            if order is None:
                os._exit(0)
            if order["do"] == "open":
                self._open(order, session)
                continue
            for report, tests in _runs(order, list(items)):
                ended = self._forked({**order, "report": report}, tests, items, session)
                if ended is None:
                    return None
                self._orders.send(ended)
                if self._orders.wait() is None:  # what the run has left is taken away before the next one sees it
                    os._exit(0)
            self._orders.send({"state": "done"})

    def _expect_forks(self, items: list[Any]) -> None:
        """Do once what all forks would do."""
        self._exchange = Exchange(self._root, self._memo)
        for item in items:
            item.location  # noqa: B018  (kept when it has been asked for)
        showing.expect(dict.fromkeys(str(item.fspath) for item in items))

    def _open(self, order: Order, session: Any) -> None:
        """Another suite in this process: its runs are forks as ever, with other code in their functions."""
        if order["again"]:
            self._recollect(order, session)
            return
        try:
            if self._exchange is None:
                raise Refused("this suite does not stay")
            self._codes = {order["suite"]: self._exchange.found(order["files"])}
        except Refused as refused:
            self._orders.send(_refusal(refused))
        else:
            self._orders.send({"state": "ready"})

    def _recollect(self, order: Order, session: Any) -> None:
        """Collect some files anew, in a fork that says itself what became of it."""
        _seek(self._offsets)
        pid = os.fork()
        if pid == 0:
            try:
                self._collect_again(order, session)
                self._orders.send({"state": "collected"})
            except Refused as refused:
                self._orders.send(_refusal(refused))
            os._exit(0)
        if os.waitpid(pid, 0)[1]:
            self._orders.send({"state": "ended"})

    def _collect_again(self, order: Order, session: Any) -> None:
        """Raises: Refused."""
        self._recorder.lines.clear()
        try:
            recollect.collect(session, [os.path.join(self._root, path) for path in order["again"]])
        except BaseException as error:
            raise Refused(repr(error)) from error
        channel = Channel(order["report"])
        channel.replay(self._recorder.lines)
        channel.send("end", exit=0)

    def _tell_collection(self) -> None:
        """The line `collection`: what all of it entered and read, and what it loaded from elsewhere."""
        found = self._trace
        code, files = sorted(found.entered), sorted(found.read)
        loaded = _loaded(self._root, self._plugins)
        Channel(self._path).send("collection", code=code, files=files, loaded=loaded, hidden=found.hidden)

    def _forked(self, order: Order, tests: list[str], items: dict[str, Any], session: Any) -> dict[str, Any] | None:
        """How one run ended; None: this is the run."""
        _seek(self._offsets)
        pid = os.fork()
        if pid == 0:
            self._begin(order, [items[test] for test in tests if test in items], session)
            return None
        self._orders.send({"state": "running", "pid": pid})
        _, status, usage = os.wait4(pid, 0)
        _forget_output(session.config)
        return {
            "state": "ended",
            "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "cpu_s": round(usage.ru_utime + usage.ru_stime, 4),
        }

    def _begin(self, order: Order, chosen: list[Any], session: Any) -> None:
        self._orders.close()
        if order["suite"] in self._codes:
            put(self._codes[order["suite"]])
        _forget_output(session.config)
        self.channel = Channel(order["report"])
        self.channel.send("start", forked=True)
        ids: List[str] = []  # noqa: UP006
        if not order["each"]:
            self.channel.replay(line for line in self._recorder.lines if line[0] != "collected")
            ids = self._told(order, chosen)
        self._report.switch(self.channel, ids, chosen, session, order["most_broken"])
        session.items[:] = chosen
        session.testscollected = len(chosen)
        if not order["texts"]:
            session.config.option.tbstyle = "no"
        self.limit.channel = self.channel
        self.limit.limits, self.limit.default = order["cpu_limits"]["tests"], order["cpu_limits"]["default"]
        if order["trace"]:
            self._trace.start()

    def _told(self, order: Order, chosen: list[Any]) -> list[str]:
        """The ids that a report of one run begins with: all of a large suite's would take longer than a few tests."""
        if order["tests"]:
            return [item.nodeid for item in chosen]
        told: list[list[str]] = [line["ids"] for kind, line in self._recorder.lines if kind == "collected"]
        return told[-1]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """The fork's last step: nobody reads the summary that would follow."""
        if self.channel is not None:
            self.end(exitstatus)

    def end(self, code: int) -> NoReturn:
        """Say that the run has come to its end."""
        assert self.channel is not None
        self.channel.send("end", exit=int(code))
        os._exit(int(code))


def _refusal(refused: Refused) -> Order:
    return {"state": "refused", "why": str(refused)}


def _forget_output(config: Any) -> None:
    """Empty the files that pytest catches output in: forks share them, and a killed one leaves what it has written."""
    capture = getattr(config.pluginmanager.getplugin("capturemanager"), "_global_capturing", None)
    for name in ("out", "err"):
        file = getattr(getattr(capture, name, None), "tmpfile", None)
        if file is not None:
            file.seek(0)
            file.truncate()


def _offsets() -> Dict[int, int]:  # noqa: UP006
    """Where this process is in the files that it has open."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if stat.S_ISREG(os.fstat(int(name)).st_mode):
                found[int(name)] = os.lseek(int(name), 0, os.SEEK_CUR)
    return found


def _seek(offsets: Dict[int, int]) -> None:  # noqa: UP006
    """Be there again: forks share the place in a file, and each is to begin where collecting ended."""
    for descriptor, place in offsets.items():
        with contextlib.suppress(OSError):
            os.lseek(descriptor, place, os.SEEK_SET)


def _loaded(root: str, plugins: list[str]) -> list[str]:
    """Modules from elsewhere, in the order of their loading, that another process may load as they are. pytest has to
    load its plug-ins itself."""
    own = {name.partition(".")[0] for name in ("__main__", __name__, *plugins)}
    return [
        name
        for name, module in list(sys.modules.items())
        if (path := getattr(module, "__file__", None))
        and not path.startswith(root + "/")
        and type(getattr(module, "__loader__", None)).__name__ != "AssertionRewritingHook"
        and name.partition(".")[0] not in own
    ]


def _runs(order: Order, known: list[str]) -> Iterator[tuple[str, list[str]]]:
    """(report, tests) of each run that an order asks for: one report for `each` test, else one for each of `times`."""
    tests = known if order["tests"] is None else order["tests"]
    if order["each"]:
        yield from ((order["report"], [test]) for test in tests)
    else:
        yield from ((f"{order['report']}.{number}", tests) for number in range(order["times"]))


class TracePlugin:
    """Reports what each test entered and read: the line `trace`."""

    def __init__(self, suite: SuitePlugin, trace: Trace) -> None:
        self._suite = suite
        self._trace = trace

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: Any) -> None:
        """A test whose values are drawn does something else each time."""
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            self._trace.hidden = True

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """One test ended."""
        channel = self._suite.channel
        if channel is not None and self._trace.on:
            found = self._trace
            channel.send("trace", id=nodeid, code=found.entered, files=sorted(found.read), hidden=found.hidden)


@dataclass(frozen=True)
class Joined:
    """A suite that a process becomes: what pytest needs of it, and what is said at its end."""

    spec: dict[str, Any]
    lines: Lines
    recorder: Recorder
    suite: SuitePlugin
    plugins: list[Any]


def join(spec: dict[str, Any], end: socket.socket, memo: Memo, *, trace: bool) -> Joined:
    """Prepare for collecting and serving. `trace`: watch what collecting enters, and what the tests of traced runs do.

    `spec`: as of `session.main`, with `report`, `whole` and `left_out` of the order.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    lines, recorder = Lines(end), Recorder()
    lines.send({"state": "started", "pid": os.getpid()})
    root = os.path.realpath(spec["root"])
    report = ReportPlugin(recorder, root, left_out=spec["left_out"])
    watch = Trace(root)
    suite = SuitePlugin(spec, lines, report, recorder, watch, memo)
    if trace:
        watch.start()
    return Joined(spec, lines, recorder, suite, [report, suite, suite.limit, TracePlugin(suite, watch)])


def finish(joined: Joined, code: int) -> NoReturn:
    """What pytest's end leaves to say: of a run, or of a suite that came to no run."""
    if joined.suite.channel is not None:
        joined.suite.end(code)
    channel = Channel(joined.spec["report"])
    channel.replay(joined.recorder.lines)
    channel.send("end", exit=code)
    os._exit(0)


def main(spec: dict[str, Any], end: socket.socket, memo: Memo, *, trace: bool) -> NoReturn:
    """Begin by itself, collect and serve."""
    root = session.prepare(spec)
    joined = join(spec, end, memo, trace=trace)
    finish(joined, session.run(spec, root, joined.plugins))
