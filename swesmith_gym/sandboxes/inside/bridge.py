"""One call to a sandbox's keeper (`inside.listen`): hands bytes over, and prints what was answered since the last call.

A script of its own, since it has to start quickly: `python3 -I -S -B bridge.py SOCKET VERB WAIT_MS MOST`. What it
hands over comes in environment variables, not in arguments, which every process may read: `SIZE` bytes altogether, in
`DATA`, as base64, or in `FILES`, paths with `:` between them, each packed with zlib and deleted afterwards. It prints
`+`, or `-` where the sandbox has ended; `z` where the rest is packed with zlib, else `b`; and the rest as base64.
"""

from __future__ import annotations

import _socket  # the public module imports enum
import binascii
import os
import sys

TYPE_CHECKING = False  # importing typing would take half of the start-up time
if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 1 << 20
PACKED = 1 << 14
"""Bytes; longer answers are packed."""
CALL_S = 60.0
"""Longer than the keeper may wait, in seconds."""


def handed_over() -> Iterator[bytes]:
    """What is to be handed over, in pieces."""
    if os.environ.get("DATA"):
        yield binascii.a2b_base64(os.environ["DATA"])
    for path in filter(None, os.environ.get("FILES", "").split(":")):
        import zlib

        with open(path, "rb") as file:
            yield zlib.decompress(file.read())
        os.unlink(path)


def reply_of(path: str, verb: str, wait_ms: str, most: str) -> bytes:
    link = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    link.settimeout(CALL_S)
    reply = bytearray()
    try:
        link.connect(path)
        link.sendall(f"{verb} {wait_ms} {most} {os.environ.get('SIZE', '0')}\n".encode())
        for piece in handed_over():
            link.sendall(piece)
        while True:
            part = link.recv(CHUNK)
            if not part:
                break
            reply += part
    except OSError as error:
        return f"-its keeper has gone: {error.strerror or error}".encode()
    return bytes(reply) or b"-its keeper has gone"


def main() -> None:
    reply = reply_of(*sys.argv[1:])
    state, content, packed = reply[:1], reply[1:], b"b"
    if len(content) > PACKED:
        import zlib

        content, packed = zlib.compress(content, 1), b"z"
    view = memoryview(state + packed + binascii.b2a_base64(content, newline=False))
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    main()
