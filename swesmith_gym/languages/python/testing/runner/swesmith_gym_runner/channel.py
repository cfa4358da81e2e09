"""The report file: JSON Lines through one descriptor that tests are unlikely to disturb.

Everything it calls is bound when this module is loaded, as instance attributes or default arguments: tests
replace `os.write`, `json.dumps`, `time.time` and the like in every loaded module, and go on to other folders.
Not protected: code in the same process that looks for the descriptor and writes to it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from typing import Any, Iterable  # noqa: UP035  (3.8 cannot subscript those of collections.abc)

HIGH = 900
"""Lowest number for the descriptor: out of the way of tests that count or close the low ones."""


class Channel:
    """Append-only writer of one report. Silent in forked children. Made once per run, closed by the process's end."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._open, self._write, self._close = os.open, os.write, os.close
        self._stat, self._pid, self._fcntl = os.fstat, os.getpid, fcntl.fcntl
        self._encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
        self.clock = time.perf_counter
        self._flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._owner = self._pid()
        self._fd = self._acquire()
        self._identity = self._identify()

    @property
    def in_owner(self) -> bool:
        """This process is the one that the runner was started as, not a fork of it."""
        return self._pid() == self._owner

    def send(self, kind: str, **fields: Any) -> None:
        """Append one line. Raises: OSError (the file system is full)."""
        if not self.in_owner:
            return
        if self._identify() != self._identity:
            self._fd = self._acquire()
            self._identity = self._identify()
        fields["t"] = kind
        data = (self._encode(fields) + "\n").encode("ascii")
        while data:
            data = data[self._write(self._fd, data) :]

    def replay(self, lines: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Append what a `Recorder` has kept."""
        for kind, fields in lines:
            self.send(kind, **fields)

    def _acquire(self) -> int:
        low = self._open(self._path, self._flags, 0o600)
        try:
            high = int(self._fcntl(low, fcntl.F_DUPFD_CLOEXEC, HIGH))
        except OSError:
            return low
        self._close(low)
        return high

    def _identify(self) -> Any:
        try:
            found = self._stat(self._fd)
        except OSError:
            return None
        return found.st_dev, found.st_ino


class Recorder(Channel):
    """Keeps the lines instead of writing them: of a collection that many runs share."""

    def __init__(self) -> None:
        self.clock = time.perf_counter
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def send(self, kind: str, **fields: Any) -> None:
        """Keep one line."""
        self.lines.append((kind, fields))
