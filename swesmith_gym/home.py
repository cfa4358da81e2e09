"""Where state lives on this host, and files that are whole or absent."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def home() -> Path:
    """`$SWESMITH_GYM_HOME`, else `~/.cache/swesmith-gym`. Not created."""
    configured = os.environ.get("SWESMITH_GYM_HOME")
    return Path(configured).absolute() if configured else Path.home() / ".cache" / "swesmith-gym"


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A temporary sibling of `path` to write to; renamed over `path` on success, removed on error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write `data` so that a reader sees the old file or the new one, never a part. Half characters are written out."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data)


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object that a file of ours holds; empty where there is none, or none that can be read."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
