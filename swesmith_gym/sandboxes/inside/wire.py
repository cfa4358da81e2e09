"""The frames between a driver and process 1 of its sandbox: plain values as bytes, each with its length in front.

Values are None, booleans, integers of 64 bits, floats, text (surrogate escapes allowed), bytes, lists and
dictionaries with text keys. Reading hostile input ends in `ValueError`, never in anything else.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False  # importing typing would take half of the start-up time
if TYPE_CHECKING:
    from typing import Any

MAX_FRAME = 1 << 30
"""Bytes; a longer frame is a broken peer."""

_LENGTH = struct.Struct(">I")
_INT = struct.Struct(">q")
_FLOAT = struct.Struct(">d")
_DEPTH = 16


def encode(text: str) -> bytes:
    """UTF-8 of any text: surrogate escapes become their bytes again, other lone surrogates their three-byte form."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def dumps(value: Any) -> bytes:
    """The bytes of a value. Raises: TypeError (a type that has no form)."""
    parts: list[bytes] = []
    _write(value, parts)
    return b"".join(parts)


def _write(value: Any, parts: list[bytes]) -> None:
    if value is None:
        parts.append(b"N")
    elif value is True:
        parts.append(b"T")
    elif value is False:
        parts.append(b"F")
    elif isinstance(value, int):
        parts += (b"i", _INT.pack(value))
    elif isinstance(value, float):
        parts += (b"f", _FLOAT.pack(value))
    elif isinstance(value, str):
        data = encode(value)
        parts += (b"s", _LENGTH.pack(len(data)), data)
    elif isinstance(value, (bytes, bytearray)):
        parts += (b"b", _LENGTH.pack(len(value)), bytes(value))
    elif isinstance(value, (list, tuple)):
        parts += (b"l", _LENGTH.pack(len(value)))
        for item in value:
            _write(item, parts)
    elif isinstance(value, dict):
        parts += (b"d", _LENGTH.pack(len(value)))
        for key, item in value.items():
            _write(str(key), parts)
            _write(item, parts)
    else:
        raise TypeError(f"no wire form for {type(value).__name__}")


def loads(data: bytes) -> Any:
    """The value of some bytes. Raises: ValueError."""
    try:
        value, end = _read(data, 0, 0)
    except (struct.error, IndexError, UnicodeDecodeError, AttributeError) as error:
        raise ValueError(f"broken frame: {error}") from None
    if end != len(data):
        raise ValueError("broken frame: bytes left over")
    return value


def _read(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    tag = data[at : at + 1]
    at += 1
    if tag in (b"N", b"T", b"F"):
        return (None if tag == b"N" else tag == b"T"), at
    if tag in (b"i", b"f"):
        number = (_INT if tag == b"i" else _FLOAT).unpack_from(data, at)[0]
        return number, at + 8
    size: int = _LENGTH.unpack_from(data, at)[0]
    at += 4
    if tag in (b"s", b"b"):
        if at + size > len(data):
            raise ValueError("broken frame: cut off")
        raw = data[at : at + size]
        return (raw.decode("utf-8", "surrogateescape") if tag == b"s" else raw), at + size
    if tag not in (b"l", b"d") or depth >= _DEPTH:
        raise ValueError("broken frame: unknown tag")
    return _read_many(data, at, size, tag == b"d", depth + 1)


def _read_many(data: bytes, at: int, size: int, pairs: bool, depth: int) -> tuple[Any, int]:
    items: list[Any] = []
    found: dict[str, Any] = {}
    for _ in range(size):
        item, at = _read(data, at, depth)
        if pairs:
            if not isinstance(item, str):
                raise ValueError("broken frame: key is not text")
            found[item], at = _read(data, at, depth)
        else:
            items.append(item)
    return (found if pairs else items), at


def frame(value: Any) -> bytes:
    """A value with its length in front, ready to send."""
    data = dumps(value)
    if len(data) > MAX_FRAME:
        raise ValueError("frame too long")
    return _LENGTH.pack(len(data)) + data


def frame_length(head: bytes) -> int:
    """Length that the first four bytes of a frame announce. Raises: ValueError."""
    size: int = _LENGTH.unpack(head)[0]
    if size > MAX_FRAME:
        raise ValueError("frame too long")
    return size
