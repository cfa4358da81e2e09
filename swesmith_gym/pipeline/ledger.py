"""The ledger of a long job: each finished item as a line in a file beside the result, so that a second run goes on.

Append-only. It is bound to its configuration: a run with another one is refused rather than mixed in.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from swesmith_gym import jsonl
from swesmith_gym.errors import InputError


class Ledger:
    """`done` maps the keys of finished items to their rows. One writer; use as a context manager.

    `notes`: what the first run says of itself; a resumed run finds the first run's there.
    """

    def __init__(self, path: Path, configuration: dict[str, Any], notes: dict[str, Any] | None = None) -> None:
        self.path = path
        self.notes = dict(notes or {})
        self._configuration = json.loads(json.dumps(configuration))
        self._appender: jsonl.Appender | None = None
        self.done: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Open or resume. Raises: InputError (of another configuration, or in use by another run), OSError."""
        self._appender = jsonl.exclusive(self.path)
        try:
            if not self._read():
                self._appender.append({"configuration": self._configuration, "notes": self.notes})
        except BaseException:
            self._appender.close()
            raise
        return self

    def _read(self) -> bool:
        """Load what is there; whether the file had a header."""
        try:
            rows = [json.loads(line) for _, line in jsonl.lines(self.path)]
            if not rows:
                return False
            same = rows[0]["configuration"] == self._configuration
            notes = rows[0].get("notes", {})
            done = {row["key"]: row["row"] for row in rows[1:]}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{self.path}: not a ledger ({error}); delete it to begin anew") from error
        if not same:
            raise InputError(f"{self.path} belongs to a run with other settings: repeat that one, or delete the file")
        self.notes |= notes
        self.done = done
        return True

    def add(self, key: str, row: Any) -> None:
        """Record a finished item; in the file when this returns. Raises: OSError."""
        assert self._appender is not None
        self._appender.append({"key": key, "row": row})
        self.done[key] = row

    def finish(self) -> None:
        """The result is written: the ledger is no longer needed."""
        self.path.unlink(missing_ok=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._appender is not None:
            self._appender.close()
