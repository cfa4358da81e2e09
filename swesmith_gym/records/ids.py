"""Content ids: equal content, equal id."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any


def content_id(*parts: Any) -> str:
    """SHA-256 (64 hex digits) over the JSON form of all parts: equal content, equal id."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return value.hex() if isinstance(value, bytes) else asdict(value)
