"""The pytest plug-in: selects tests, and reports what was collected and what each test did.

Lines: `collected` (ids, selected), `duplicate`, `broken` (path, text), `result`, `internal` (text), `stopped` (early).
"""

from __future__ import annotations

import os
from random import Random
from typing import Any, Generator, Iterable  # noqa: UP035  (3.8 cannot subscript those of collections.abc)

import pytest

from .channel import Channel
from .outcomes import Phases, capped

TEXT_BUDGET = 8 << 20
"""Characters of failure text in one report; later failures keep SHORT_CHARS each."""
SHORT_CHARS = 200
FULL_TEXTS = 12
"""Failures that are told at length, with a traceback, which takes longer than most tests. Later ones are `brief`."""
VALUE_CHARS, VALUES_CHARS = 300, 1000
"""Of one value that a failing test was given, and of all of them together."""


class ReportPlugin:
    """One run's plug-in. `tests`: exact ids to run; None: all. `collect_only`: run none. `shuffle`: seed of a random
    order of files and of the tests in each; None: the usual order. `left_out`: files that are not collected."""

    def __init__(
        self,
        channel: Channel,
        root: str,
        *,
        tests: Iterable[str] | None = None,
        collect_only: bool = False,
        shuffle: int | None = None,
        left_out: Iterable[str] = (),
    ) -> None:
        self._channel = channel
        self._root = root
        self._tests = None if tests is None else frozenset(tests)
        self._collect_only = collect_only
        self._shuffle = shuffle
        self._left_out = frozenset(os.path.join(root, path) for path in left_out)
        self._running: dict[str, Phases] = {}
        self._started: dict[str, float] = {}
        self._items: dict[str, Any] = {}
        self._budget = TEXT_BUDGET
        self._full = FULL_TEXTS
        self._session: Any = None
        self._may_fail: int | None = None

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> Generator[None, Any, None]:
        """After every other plug-in has chosen and ordered: report all ids, keep those that were asked for."""
        outcome = yield
        outcome.get_result()
        self._config = config
        seen: set[str] = set()
        for item in items:
            if item.nodeid in seen:
                self._channel.send("duplicate", id=item.nodeid)
            seen.add(item.nodeid)
        ids = [item.nodeid for item in items]
        if self._tests is not None:
            dropped = [item for item in items if item.nodeid not in self._tests]
            items[:] = [item for item in items if item.nodeid in self._tests]
            if dropped:
                config.hook.pytest_deselected(items=dropped)
        if self._shuffle is not None:
            items[:] = shuffled(items, self._shuffle)
        self._items = {item.nodeid: item for item in items}
        self._channel.send("collected", ids=ids, selected=0 if self._collect_only else len(self._items))

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Any) -> bool | None:
        """Leaves files out."""
        return True if str(collection_path) in self._left_out else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> bool | None:
        """Ends the session before the first test when it is only to collect."""
        return True if self._collect_only else None

    def switch(
        self, channel: Channel, ids: Iterable[str], items: list[Any], session: Any, most_broken: int | None
    ) -> None:
        """In a fork of a process that has collected: report there, these items are what is run. `most_broken`: tests
        that may fail before the session is ended; None: any number."""
        self._channel = channel
        self._session = session
        self._may_fail = most_broken
        self._items = {item.nodeid: item for item in items}
        channel.send("collected", ids=list(ids), selected=len(self._items))

    @pytest.hookimpl(trylast=True)
    def pytest_collectreport(self, report: Any) -> None:
        """A file, folder or class that could not be collected."""
        if not report.failed:
            return
        text = capped(str(getattr(report, "longreprtext", "") or report.longrepr or ""))
        for path in self._files(report.nodeid.split("::")[0]):
            self._channel.send("broken", path=path, text=text)

    def _files(self, path: str) -> list[str]:
        """The file itself, or every Python file below a folder; the whole tree is the empty path."""
        if path in ("", "."):
            return [""]
        top = os.path.join(self._root, path)
        if not os.path.isdir(top):
            return [path]
        found = [
            os.path.relpath(os.path.join(folder, name), self._root)
            for folder, _, names in os.walk(top)
            for name in names
            if name.endswith(".py")
        ]
        return sorted(found) or [path]

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: Any) -> Generator[None, Any, None]:
        """A test takes from when pytest turns to it until it turns to another."""
        self._started[item.nodeid] = self._channel.clock()
        self._running[item.nodeid] = Phases()
        yield
        self._send_result(item.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        """One phase of a test ended."""
        self._running.setdefault(report.nodeid, Phases()).add(report)
        if report.failed:
            self._full -= 1
            if self._full == 0:
                self._config.option.tbstyle = "no"

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Tests whose end was never announced are reported with what is known."""
        for nodeid in list(self._running):
            self._send_result(nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: Any) -> None:
        """The runner itself failed."""
        self._channel.send("internal", text=capped(str(excrepr)))

    def _send_result(self, nodeid: str) -> None:
        phases = self._running.pop(nodeid, None)
        started = self._started.pop(nodeid, self._channel.clock())
        if phases is None or not phases.outcome:
            return
        brief = bool(phases.text) and self._full < 0
        text = self._explain(nodeid, phases.text) if phases.text and not brief else phases.text
        if len(text) > self._budget:
            text = text[-SHORT_CHARS:]
        self._budget -= len(text)
        duration = round(self._channel.clock() - started, 6)
        self._channel.send("result", id=nodeid, outcome=phases.outcome, s=duration, text=text, brief=brief)
        if phases.outcome in ("failed", "error") and self._may_fail is not None:
            self._may_fail -= 1
            if self._may_fail < 0:
                self._channel.send("stopped")
                self._session.shouldstop = "more tests have failed than may"

    def _explain(self, nodeid: str, text: str) -> str:
        """The failure's text, then the test's id and the values that it was given."""
        from _pytest._io.saferepr import saferepr

        lines = [text, f"test: {nodeid}"]
        left = VALUES_CHARS
        callspec = getattr(self._items.get(nodeid), "callspec", None)
        for name, value in getattr(callspec, "params", {}).items():
            shown = " ".join(saferepr(value, maxsize=4 * VALUE_CHARS).splitlines())
            shown = shown if len(shown) <= VALUE_CHARS else f"{shown[: VALUE_CHARS // 2]}..."
            left -= len(shown)
            if left > 0:
                lines.append(f"with: {name} = {shown}")
        return "\n".join(lines)


def shuffled(items: list[Any], seed: int) -> list[Any]:
    """Files in random order, and the tests of each: what a file sets up once is still set up once."""
    random = Random(seed)
    files: dict[str, list[Any]] = {}
    for item in items:
        files.setdefault(item.nodeid.split("::")[0], []).append(item)
    groups = list(files.values())
    random.shuffle(groups)
    for group in groups:
        random.shuffle(group)
    return [item for group in groups for item in group]
