"""Every file below some folders with its content, and what archives and other wrappings hold."""

from __future__ import annotations

import bz2
import gzip
import html
import io
import lzma
import os
import re
import stat
import tarfile
import zipfile
import zlib

from swesmith_gym.tasks.scan.inside import wrappings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 64 << 20
"""Larger files that are no archives are read up to here."""
MAX_MEMBER = 32 << 20
MAX_ENCODED = 8 << 20
"""Encodings are taken off what is no larger."""
MAX_DEPTH = 3
_PROGRAMS = (b"\x7fELF", b"!<arch>\n", b"\xca\xfe\xba\xbe", b"\xde\x12\x04\x95", b"\x89PNG", b"BC\xc0\xde", b"\x00asm")
"""Compiled code and pictures: they hold no text of a function."""
_LEFT_OUT = (".class", ".so", ".a", ".o", ".png", ".ttf", ".dex")
_BROKEN = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    zlib.error,
    zipfile.BadZipFile,
    tarfile.TarError,
    lzma.LZMAError,
)
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_ROT_13 = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", b"NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm"
)
_HEADS = re.compile(rb"(?m)^(?:[ \t>|#*;]|//|\d[\d.:,TZ/-]*(?![\d.:,TZ/-])|(?:DEBUG|INFO|WARNING|ERROR)\b)+")
_HAS_HEADS = re.compile(rb"(?m)^[ \t]*(?:[>|#*;]|//|\d)")
_INDENTED_DIFF = re.compile(rb"\n([ \t]+)@@ ")
_TAG = re.compile(rb"<[^<>]{0,500}>")


def walk(roots: list[str], skipped: list[str], part: tuple[int, int]) -> Iterator[tuple[str, os.stat_result]]:
    """Every file, link and special file below the roots; folders too, with a `/` at the end. No link is followed.

    `part` (k, n): only the k-th of n shares of the files.
    """
    number = 0
    pending = list(reversed(roots))
    while pending:
        folder = pending.pop()
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            path = os.path.join(folder, name)
            if path in skipped:
                continue
            try:
                found = os.lstat(path)
            except OSError:
                continue
            if stat.S_ISDIR(found.st_mode):
                pending.append(path)
                yield path + "/", found
                continue
            number += 1
            if number % part[1] == part[0]:
                yield path, found


def read(path: str, size: int, whole: bool) -> bytes:
    """Content of a regular file. But for `whole`: nothing of compiled code, and no more than `MAX_BYTES`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        head = file.read(512)
        if head.startswith(_PROGRAMS) and not whole and not _ends_in_archive(descriptor):
            return b""
        data = bytearray(head)
        while len(data) < (size if whole else min(size, MAX_BYTES)):
            piece = file.read(MAX_BYTES)
            if not piece:
                break
            data += piece
    return bytes(data)


def _ends_in_archive(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 22 and os.pread(descriptor, 4, size - 22) == b"PK\x05\x06"


def contents(place: str, data: bytes, deep: bool, depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """The data itself, then all that is packed in it, each with its place. `deep`: encodings are taken off, too."""
    yield place, data
    if depth < MAX_DEPTH:
        try:
            for name, member in _members(data, deep):
                yield from contents(f"{place}!{name}", member, deep, depth + 1)
        except _BROKEN:
            return


def _members(data: bytes, deep: bool) -> Iterator[tuple[str, bytes]]:
    if data[:4] == b"PK\x03\x04" or data[-22:-18] == b"PK\x05\x06":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if any(each.filename.endswith(".class") for each in members):
                return  # programs of another language
            for each in members:
                if not each.is_dir() and each.file_size <= MAX_MEMBER and not each.filename.endswith(_LEFT_OUT):
                    yield each.filename, archive.read(each)
    elif data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as archive_:
            for member in archive_:
                file = archive_.extractfile(member) if member.isreg() and member.size <= MAX_MEMBER else None
                if file is not None:
                    yield member.name, file.read()
    else:
        unpacked = _unpacked(data)
        if unpacked:
            yield "content", unpacked
        elif deep and len(data) <= MAX_ENCODED:
            yield from wrappings.of_text(data)
            yield from wrappings.of_binary(data)


def _unpacked(data: bytes) -> bytes:
    """One compressed stream; git's loose objects are such."""
    if data[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=io.BytesIO(data)).read(MAX_BYTES)
    if data[:3] == b"BZh":
        return bz2.BZ2Decompressor().decompress(data, MAX_BYTES)
    if data[:6] == b"\xfd7zXZ\x00":
        return lzma.LZMADecompressor().decompress(data, MAX_BYTES)
    if data[:1] == b"\x78" and len(data) > 2 and (data[0] * 256 + data[1]) % 31 == 0:
        return zlib.decompressobj().decompress(data, MAX_MEMBER)
    return b""


def variants(data: bytes, deep: bool) -> Iterator[bytes]:
    """The text, and what it reads as without quoting: JSON strings, diffs, marked-up pages, heads of lines."""
    data = wrappings.plain(data)
    yield data
    if b"\\n" in data:
        yield data.replace(b"\\n", b"\n").replace(b"\\t", b"\t").replace(b'\\"', b'"')
    indented = _INDENTED_DIFF.search(data) if b" @@ -" in data or b"\t@@ -" in data else None
    if indented:
        data = data.replace(b"\n" + indented[1], b"\n")
        yield data
    if b"\n@@ " in data or data.startswith(b"@@ "):
        lines = data.split(b"\n")
        for sign in (b"-", b"+"):
            yield b"\n".join(line[1:] for line in lines if line[:1] in (b" ", sign))
    if data[:512].lstrip()[:1] == b"<" and b"</" in data:
        yield html.unescape(_TAG.sub(b"", data).decode("utf-8", "replace")).encode()
    if deep and len(data) <= MAX_ENCODED:
        if _HAS_HEADS.search(data):
            yield _HEADS.sub(b"", data)
        yield data.translate(_ROT_13)
        yield data[::-1]
