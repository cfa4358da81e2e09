"""What data reads as once an encoding is taken off: of texts (base64 and its like), of binary files, of character sets.

Each way is tried only where its marks are seen. What comes out may be nonsense: it is searched, nothing more.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import codecs
import lzma
import pickletools
import quopri
import re
import sqlite3
import zlib
from itertools import islice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_BYTES = 32 << 20
SHORTEST = 48
"""Characters of an encoded run at least, without a blank."""
MAX_PIECES = 500
"""Encoded pieces of one content that are tried."""
BROKEN = (ValueError, OSError, EOFError, LookupError, zlib.error, lzma.LZMAError, sqlite3.Error)
_TEXT = bytes({*range(32, 127), 9, 10, 12, 13, 27})
_RUN = re.compile(rb"(?<![\w+/-])[\w+/-]{48,}={0,6}(?:\r?\n[\w+/-]+={0,6})*", re.ASCII)
_WIDE_RUN = re.compile(rb"(?<![!-~])[!-~]{80,}")
_UU = re.compile(rb"^begin [0-7]{3,4} [^\n]*\n((?:[ -`]{1,62}\r?\n)+)", re.MULTILINE)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"PK\x03\x04|\x1f\x8b\x08|BZh[1-9]1AY|\xfd7zXZ\x00|\x78[\x01\x5e\x9c\xda]")
_PICKLE = re.compile(rb"\x80[\x02-\x05]|[(\]}]")


def of_text(data: bytes) -> Iterator[tuple[str, bytes]]:
    """(name of the encoding, what it held) of every encoded piece of a text."""
    if max(map(len, data.split()), default=0) >= SHORTEST:
        yield from _of_runs(data)
    for found in _UU.finditer(data):
        yield from _tried("uuencode", lambda lines: b"".join(map(binascii.a2b_uu, lines.splitlines())), found[1])
    if _is_binary(data):
        return  # half decoded it would look like what it was, such as byte code
    if b"=\n" in data or b"=3D" in data:
        yield "quoted-printable", quopri.decodestring(data)
    if len(_PERCENT.findall(data[:4096])) >= 8:
        yield "percent", _PERCENT.sub(lambda code: bytes.fromhex(code[1].decode()), data)


def _of_runs(data: bytes) -> Iterator[tuple[str, bytes]]:
    for found in islice(_RUN.finditer(data), MAX_PIECES):
        piece = b"".join(found[0].split()).decode()
        for name, decode in (("base64", _base64), ("hexadecimal", bytes.fromhex), ("base32", base64.b32decode)):
            yield from _tried(name, decode, piece)
    for found in islice(_WIDE_RUN.finditer(data), MAX_PIECES):
        yield from _tried("base85", base64.b85decode, found[0])
        yield from _tried("ascii85", lambda piece: base64.a85decode(piece, adobe=piece[:2] == b"<~"), found[0])


def of_binary(data: bytes) -> Iterator[tuple[str, bytes]]:
    """(name, content) of what binary data holds: rows, pickled texts, lines of an editor, compressed streams within."""
    if data[:16] == b"SQLite format 3\0":
        yield from _tried("rows", _rows, data)
    if _PICKLE.match(data) and data[-1:] == b".":
        try:
            held = list(_pickled(data))
        except BROKEN:
            held = []
        yield "pickle", b"\n".join(held)
        yield from (("bytes", each) for each in held if len(each) >= SHORTEST and _is_binary(each))
    if data[:3] == b"b0V":
        yield "lines", b"\n".join(reversed(data[4096:].split(b"\0")))
    if not _is_binary(data):
        return
    yield from _tried("content", _deflated, data)
    if data[:3] == b"\x5d\0\0":
        yield from _tried("content", lambda whole: lzma.LZMADecompressor().decompress(whole, MAX_BYTES), data)
    for found in islice(_STREAM.finditer(data, 1), MAX_PIECES):
        yield from _tried(f"at {found.start()}", _stream, data[found.start() :])


def plain(data: bytes) -> bytes:
    """The same text in UTF-8, with line feeds, without colours of a terminal."""
    if data[:4] in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        data = data.decode("utf-32", "replace").encode()
    elif data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        data = data.decode("utf-16", "replace").encode()
    elif len(data) >= 64 and not any(data[0:64:2]) and all(data[1:64:2]):
        data = data.decode("utf-16-be", "replace").encode()
    elif len(data) >= 64 and not any(data[1:64:2]) and all(data[0:64:2]):
        data = data.decode("utf-16-le", "replace").encode()
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    return re.sub(rb"\x1b\[[\d;]*[A-Za-z]", b"", data) if b"\x1b[" in data else data


def _is_binary(data: bytes) -> bool:
    """Not a text, as far as its beginning tells."""
    head = data[:1024]
    return b"\0" in head or len(head.translate(None, _TEXT)) * 10 > len(head)


def _tried(name: str, decode: Callable[..., bytes], data: bytes | str) -> Iterator[tuple[str, bytes]]:
    try:
        held = decode(data)
    except BROKEN:
        return
    if len(held) >= 16:
        yield name, held


def _base64(text: str) -> bytes:
    return base64.b64decode(
        text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_" if set(text) & {*"-_"} else None
    )


def _rows(data: bytes) -> bytes:
    """Texts as lines; what is binary stands among them, for `_stream` to be found."""
    base = sqlite3.connect(":memory:")
    try:
        base.deserialize(data)
        names = [name for (name,) in base.execute("select name from sqlite_master where type = 'table'")]
        quoted = ('"' + name.replace('"', '""') + '"' for name in names)
        rows = (row for name in quoted for row in base.execute(f"select * from {name}"))
        values = (value for row in rows for value in row if isinstance(value, (str, bytes)))
        return b"\n".join(v.encode("utf-8", "replace") if isinstance(v, str) else v for v in values)
    finally:
        base.close()


def _pickled(data: bytes) -> Iterator[bytes]:
    """Texts and bytes of a pickle in their order, without loading it."""
    memo: dict[object, bytes] = {}
    count = 0
    last: bytes | None = None
    for code, value, _ in pickletools.genops(data):
        if code.name in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
            if last is not None:
                memo[count if code.name == "MEMOIZE" else value] = last
            count += 1
            continue
        last = None
        if "GET" in code.name and value in memo:
            yield memo[value]
        elif isinstance(value, (str, bytes)) and code.name != "GLOBAL":
            last = value.encode("utf-8", "replace") if isinstance(value, str) else value
            yield last


def _deflated(data: bytes) -> bytes:
    """A stream of deflate without a head."""
    stream = zlib.decompressobj(-15)
    held = stream.decompress(data, MAX_BYTES)
    return held if stream.eof else b""


def _stream(data: bytes) -> bytes:
    """One that begins here, whatever stands behind it; an archive as it is."""
    if data[:2] == b"PK":
        return data
    if data[:2] == b"\x1f\x8b":
        return zlib.decompressobj(31).decompress(data, MAX_BYTES)
    if data[:3] == b"BZh":
        return bz2.BZ2Decompressor().decompress(data, MAX_BYTES)
    if data[:1] == b"\xfd":
        return lzma.LZMADecompressor().decompress(data, MAX_BYTES)
    return zlib.decompressobj().decompress(data, MAX_BYTES)
