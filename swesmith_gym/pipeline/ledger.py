"""The ledger of a long job: each finished item as a line in a file beside the result, so that a second run goes on.

Append-only. It is bound to its configuration: a run with another one is refused rather than mixed in.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from swesmith_gym.errors import InputError


class Ledger:
    """`done` maps the keys of finished items to their rows. One writer; use as a context manager.

    `notes`: what the first run says of itself; a resumed run finds the first run's there.
    """

    def __init__(self, path: Path, configuration: dict[str, Any], notes: dict[str, Any] | None = None) -> None:
        self.path = path
        self.notes = dict(notes or {})
        self._configuration = json.loads(json.dumps(configuration))
        self._file: IO[str] | None = None
        self.done: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Open or resume. Raises: InputError (the file belongs to another configuration), OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = self._read()
        self._file = self.path.open("a", encoding="ascii")
        if not whole:
            self._append({"configuration": self._configuration, "notes": self.notes})
        return self

    def _read(self) -> bool:
        """Load what is there, cutting off a torn last line; whether the file had a header."""
        if not self.path.exists():
            return False
        data = self.path.read_bytes()
        end = data.rfind(b"\n") + 1
        if end != len(data):
            os.truncate(self.path, end)
        lines = data[:end].splitlines()
        if not lines:
            return False
        try:
            rows = [json.loads(line) for line in lines]
            if rows[0]["configuration"] != self._configuration:
                raise InputError(
                    f"{self.path} belongs to a run with other settings: repeat that one, or delete the file"
                )
            self.notes |= rows[0].get("notes", {})
            self.done = {row["key"]: row["row"] for row in rows[1:]}
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{self.path}: not a ledger ({error}); delete it to begin anew") from error
        return True

    def add(self, key: str, row: Any) -> None:
        """Record a finished item; in the file when this returns. Raises: OSError."""
        self._append({"key": key, "row": row})
        self.done[key] = row

    def _append(self, line: dict[str, Any]) -> None:
        assert self._file is not None
        self._file.write(json.dumps(line, ensure_ascii=True) + "\n")
        self._file.flush()

    def finish(self) -> None:
        """The result is written: the ledger is no longer needed."""
        self.path.unlink(missing_ok=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
