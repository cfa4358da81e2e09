"""Append-only files of JSON objects, one a line: whole lines only, one writer at a time, whatever was killed before."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from swesmith_gym.errors import InputError

_BLOCK = 1 << 16


class Appender:
    """A file that this process alone appends to until it is closed. Made by `exclusive` or `shared`."""

    def __init__(self, file: IO[bytes], default: Callable[[Any], Any] | None = None) -> None:
        self._file, self._default = file, default

    def append(self, row: Any) -> None:
        """Add one line; on disk when this returns. Raises: OSError, TypeError (not JSON)."""
        line = json.dumps(row, ensure_ascii=True, default=self._default).encode("ascii") + b"\n"
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Give the file free."""
        self._file.close()


def exclusive(path: Path) -> Appender:
    """The file for a whole job. A torn last line is cut off. Raises: InputError (another process has it), OSError."""
    file = _opened(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise InputError(f"{path}: another run is writing here: wait for it, or choose another --out") from error
    _cut_torn_line(file)
    return Appender(file)


def append(path: Path, row: Any, default: Callable[[Any], Any] | None = None) -> None:
    """Add one line to a file that others may add to as well: they wait for each other. Raises: OSError, TypeError."""
    with _opened(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _cut_torn_line(file)
        Appender(file, default).append(row)


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number, counted from 1, and bytes of every whole line; none where there is no file."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.endswith(b"\n"):
                yield number, line


def _opened(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a+b")


def _cut_torn_line(file: IO[bytes]) -> None:
    """A writer that was killed leaves half a line: what is appended must not continue it."""
    end = start = file.seek(0, os.SEEK_END)
    while start:
        start = max(0, start - _BLOCK)
        file.seek(start)
        found = file.read(min(_BLOCK, end - start)).rfind(b"\n")
        if found >= 0:
            start += found + 1
            break
    if start != end:
        file.truncate(start)
    file.seek(0, os.SEEK_END)
