"""What the proxy of network `index` lets through: the list of hosts, requests, and the first message of a tunnel.

Decisions over bytes and text only: nothing here opens a connection (`index_proxy` does). A host is compared as a whole,
letter case aside, and where a connection goes is taken from the list, never from what a client wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from swesmith_gym.errors import InputError

_ENTRY = re.compile(r"((?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}|\[[0-9a-f:.]+\]):([1-9]\d{0,4})", re.ASCII)
_REQUEST = re.compile(r"([!-~]+) ([!-~]+) HTTP/1\.[01]")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~]*)")
_ADDRESS = re.compile(r"http://([^/?]*)(.*)", re.IGNORECASE)
_DROPPED = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "content-length",
        "expect",
    ]
)
"""Fields of one connection (RFC 9110, 7.6.1), and those that are written anew or belong to a body."""
_ENCRYPTED_HELLO = 0xFE0D
"""Holds a second, hidden name."""


class Refused(Exception):
    """A client does not get what it asked for. `answer`: the response that it gets."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        line = f"swesmith-gym: {text}\n".encode("ascii", "backslashreplace")
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: text/plain\r\n"
        self.answer = f"{head}Content-Length: {len(line)}\r\nConnection: close\r\n\r\n".encode() + line


@dataclass(frozen=True, slots=True)
class Target:
    """An entry of the list."""

    text: str
    """`HOST:PORT`, in small letters; an IPv6 address in brackets."""
    host: str
    port: int

    @property
    def is_address(self) -> bool:
        """An IP address: TLS asks for no name there."""
        return ":" in self.host or self.host.replace(".", "").isdigit()


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may be passed on."""

    method: str
    target: Target
    path: str
    """Of the address, with its query; empty for CONNECT."""
    fields: tuple[tuple[str, str], ...]
    """Names and values, without those of the client's own connection."""


class AllowList:
    """The hosts that are reached. Raises: InputError (an entry is not `HOST:PORT`)."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self._targets = {found.text: found for found in map(_target, hosts)}

    def request(self, header: str) -> Request:
        """Read a request's header, its empty line left out. Raises: Refused."""
        first, *lines = header.split("\r\n")
        line = _REQUEST.fullmatch(first)
        fields = [found.groups() for found in map(_FIELD.fullmatch, lines) if found]
        if line is None or len(fields) < len(lines):
            raise Refused(400, "not an HTTP/1.1 request")
        method, wanted = line.groups()
        if method == "CONNECT":
            return Request(method, self._find(wanted), "", ())
        if method not in ("GET", "HEAD"):
            raise Refused(405, f"{method[:20]} is not passed on, only CONNECT, GET and HEAD")
        address = _ADDRESS.fullmatch(wanted)
        if address is None or "#" in wanted:
            raise Refused(400, "an address has to begin with http://; https goes by CONNECT")
        authority, path = address.groups()
        target = self._find(authority if re.search(r":\d*$", authority) else f"{authority}:80")
        return Request(method, target, path if path.startswith("/") else f"/{path}", _kept(fields))

    def _find(self, authority: str) -> Target:
        found = self._targets.get(authority.lower())
        if found is None:
            known = ", ".join(sorted(self._targets)) or "nothing"
            raise Refused(403, f"{authority[:300]} is out of reach of this sandbox, which reaches {known}")
        return found


def _target(entry: str) -> Target:
    found = _ENTRY.fullmatch(entry.lower())
    if found is None or int(found[2]) > 65535:
        raise InputError(f"not HOST:PORT: {entry!r}")
    return Target(found[0], found[1].strip("[]"), int(found[2]))


def _kept(fields: list[tuple[str, ...]]) -> tuple[tuple[str, str], ...]:
    named = [value for name, value in fields if name.lower() == "connection"]
    dropped = _DROPPED | {word.strip().lower() for value in named for word in value.split(",")}
    return tuple((name, value) for name, value in fields if name.lower() not in dropped)


def opens_tunnel(target: Target, hello: bytes) -> bool:
    """The first TLS message of a tunnel asks for the target's own host, and hides no other name."""
    try:
        name = _server_name(hello)
    except ValueError:
        return False
    return name == target.host or (target.is_address and not name)


def _server_name(hello: bytes) -> str:
    """What a ClientHello (RFC 8446, 4.1.2) asks for by name (RFC 6066, 3); empty: nothing. Raises: ValueError."""
    if hello[:1] != b"\x01":
        raise ValueError("not a ClientHello")
    body, more = _cut(hello[1:], 3)
    rest = body[34:]  # version and random
    for width in (1, 2, 1):  # session, ciphers, compression
        rest = _cut(rest, width)[1]
    extensions, end = _cut(rest, 2)
    if more or end:
        raise ValueError("more than a ClientHello")
    found: dict[int, bytes] = {}
    while extensions:
        kind = int.from_bytes(extensions[:2], "big")
        value, extensions = _cut(extensions[2:], 2)
        if kind in found or kind == _ENCRYPTED_HELLO:
            raise ValueError("a second name, or a hidden one")
        found[kind] = value
    return _one_name(found[0]) if 0 in found else ""


def _one_name(value: bytes) -> str:
    names, end = _cut(value, 2)
    name, others = _cut(names[1:], 2)
    if names[0] or others or end:
        raise ValueError("not one host name")
    return name.decode("ascii").lower()


def _cut(data: bytes, width: int) -> tuple[bytes, bytes]:
    """A field that begins with its length in `width` bytes, and what follows it. Raises: ValueError."""
    end = width + int.from_bytes(data[:width], "big")
    if len(data) < max(end, width):
        raise ValueError("cut short")
    return data[width:end], data[end:]
