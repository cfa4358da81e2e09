"""What code a test enters, which files of the work tree it reads, and whether it does something that hides such things.

Code of functions, class bodies and modules counts, each time it is entered. Lambdas and comprehensions belong to the
code around them. A depth says how many calls of the tree's code lie between a test's own function and the entry.
"""

from __future__ import annotations

import os
import sys
import threading
from types import CodeType, FrameType
from typing import Any

HIDING = frozenset(
    {
        "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn",
        "subprocess.Popen", "sys.setprofile", "sys.settrace",
    }
)  # fmt: skip
"""Audit events after which code may run that is not seen."""
MAX_DEPTH = 99


class Trace:
    """One recording. Made before, `start` in the process that is to be watched; it is never stopped."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/") + "/"
        self.entered: dict[str, int] = {}
        """`PATH:LINE:NAME` -> depth of the first entry. The line is that of the first decorator; of a module, 0."""
        self.read: set[str] = set()
        self.hidden = False
        self._seen: dict[int, CodeType] = {}
        self._inside: dict[str, str] = {}
        self.on = False
        """Something is being watched."""

    def start(self) -> None:
        """Begin. Threads that are started later are watched, too."""
        self.entered.clear()
        self.read.clear()
        self._seen.clear()
        if hasattr(sys, "monitoring"):
            self._monitor()
        else:
            threading.settrace(self._called)
            sys.settrace(self._called)
        if not self.on:
            sys.addaudithook(self._audited)
            self._watch_spawning()
        self.on = True
        self.hidden = False

    def _monitor(self) -> None:
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
        if monitoring.get_tool(monitoring.PROFILER_ID) is None:
            monitoring.use_tool_id(monitoring.PROFILER_ID, "swesmith-gym")
        events = monitoring.events
        for event in (events.PY_START, events.PY_RESUME):
            monitoring.register_callback(monitoring.PROFILER_ID, event, self._started)
        monitoring.set_events(monitoring.PROFILER_ID, events.PY_START | events.PY_RESUME)
        monitoring.restart_events()

    def _watch_spawning(self) -> None:
        """`multiprocessing` starts processes in a way that no event tells."""
        import _posixsubprocess

        start = _posixsubprocess.fork_exec

        def fork_exec(*args: Any) -> Any:
            self.hidden = True
            return start(*args)

        setattr(_posixsubprocess, "fork_exec", fork_exec)  # noqa: B010  (its declared type is narrower)

    def _started(self, code: CodeType, _offset: int) -> Any:
        self._enter(code, sys._getframe(1))
        return sys.monitoring.DISABLE  # type: ignore[attr-defined, unused-ignore]

    def _called(self, frame: FrameType, _event: str, _arg: Any) -> None:
        if id(frame.f_code) not in self._seen:
            self._enter(frame.f_code, frame)

    def _enter(self, code: CodeType, frame: FrameType | None) -> None:
        self._seen[id(code)] = code
        name = code.co_name
        path = self._path(code.co_filename)
        if path and (name[0] != "<" or name == "<module>"):
            line = 0 if name == "<module>" else code.co_firstlineno
            self.entered.setdefault(f"{path}:{line}:{name}", self._depth(frame))

    def _path(self, filename: str) -> str:
        """Inside of the tree, whatever links and dots lead there; empty: it is elsewhere."""
        if filename not in self._inside:
            path = "" if filename.startswith("<") else os.path.realpath(filename)
            self._inside[filename] = path[len(self._root) :] if path.startswith(self._root) else ""
        return self._inside[filename]

    def _depth(self, frame: FrameType | None) -> int:
        depth = -1
        while frame is not None and depth < MAX_DEPTH:
            code = frame.f_code
            if code.co_name == "pytest_pyfunc_call":
                break
            depth += bool(self._path(code.co_filename))
            frame = frame.f_back
        return max(0, depth)

    def _audited(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path = args[0]
            if isinstance(path, (str, bytes, os.PathLike)):
                self._opened(os.fsdecode(path), sys._getframe(1))
        elif event in HIDING and sys._getframe(1).f_globals.get("__name__") != "threading":  # which passes our trace on
            self.hidden = True

    def _opened(self, path: str, opener: FrameType) -> None:
        try:
            path = os.path.realpath(path)
        except OSError:  # the working directory is gone
            return
        if path.startswith(self._root) and not _is_import(opener):
            self.read.add(path[len(self._root) :])


def _is_import(frame: FrameType) -> bool:
    """The import system reads a module's text."""
    return frame.f_code.co_name == "get_data" and frame.f_code.co_filename.startswith("<frozen")
