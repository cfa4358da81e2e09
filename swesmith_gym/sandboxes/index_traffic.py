"""One client's connection to the proxy of network `index`: its request, the way to the host, and the bytes between.

Which hosts and requests may pass is not decided here (`index_rules`). Where the driver's environment names a proxy of
its own for a host, the way leads through that one.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import socket
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass

from swesmith_gym.sandboxes.index_rules import AllowList, Refused, Request, Target, opens_tunnel

HEADER_BYTES = 16 << 10
HEADER_S = 20.0
"""Limit for a request's header, and for the first message of a tunnel."""
CONNECT_S = 20.0
IDLE_S = 300.0
"""A connection that moves nothing for so long is closed."""
LINGER_S = 2.0
"""How long a client that was refused may go on sending."""
_CHUNK = 1 << 16
_ACCESS_DENIED = bytes((21, 3, 3, 0, 2, 2, 49))
"""The TLS alert of that name."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def serve(client: Streams, allowed: AllowList) -> None:
    """One request from its first byte to the end of what it asked for; closes the client's connection."""
    try:
        request = allowed.request(await _header(client[0]))
        await (_tunnel if request.method == "CONNECT" else _forward)(client, request)
    except Refused as refused:
        with contextlib.suppress(OSError):
            await _tell(client, refused.answer)
    except (OSError, EOFError):
        pass  # the client has gone, or was too slow
    finally:
        drop(client[1])


async def _header(reader: asyncio.StreamReader) -> str:
    """A request's header without its empty line. Raises: Refused, EOFError (nothing came)."""
    try:
        async with asyncio.timeout(HEADER_S):
            raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise Refused(431, f"a header of more than {HEADER_BYTES} bytes") from None
    except TimeoutError:
        raise Refused(408, f"no whole header within {HEADER_S:g} s") from None
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            raise
        raise Refused(400, "the header has no end") from None
    return raw[:-4].decode("latin-1")


async def _tell(client: Streams, answer: bytes) -> None:
    """Answer, then read to the client's end: closing before that would take the answer away from it."""
    reader, writer = client
    async with asyncio.timeout(LINGER_S):
        writer.write(answer)
        await writer.drain()
        writer.write_eof()
        while await reader.read(_CHUNK):
            pass


def drop(writer: asyncio.StreamWriter) -> None:
    """Close, in the loop's next round; a copy of the socket that a forked process holds does not keep it open."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
    writer.transport.abort()


async def _tunnel(client: Streams, request: Request) -> None:
    reader, writer = client
    async with _opened(request.target, _upstream("https", request.target), tunnel=True) as (answers, requests):
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        async with asyncio.timeout(HEADER_S):
            await writer.drain()
            head = await reader.readexactly(5)
            hello = await reader.readexactly(int.from_bytes(head[3:], "big")) if head[:2] == b"\x16\x03" else b""
        if opens_tunnel(request.target, hello):
            requests.write(head + hello)
            await _pass_on((reader, requests), (answers, writer))
        else:
            writer.write(_ACCESS_DENIED)


async def _forward(client: Streams, request: Request) -> None:
    """Pass on one request without a body; whatever else the client sends is not read."""
    target, path, fields = request.target, request.path, request.fields
    through = _upstream("http", target)
    if through:
        path, fields = f"http://{target.text}{path}", fields + through.login
    fields = (("Host", target.text), ("Connection", "close"), *fields)
    lines = [f"{request.method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), "", ""]
    async with _opened(target, through, tunnel=False) as (answers, requests):
        requests.write("\r\n".join(lines).encode("ascii"))
        await _pass_on((answers, client[1]))


@dataclass(frozen=True, slots=True)
class _Upstream:
    """The driver's own proxy."""

    host: str
    port: int
    tls: bool
    login: tuple[tuple[str, str], ...]
    """The field that holds it, if any."""


def _upstream(scheme: str, target: Target) -> _Upstream | None:
    """The proxy that the driver's environment names for a target. Raises: Refused (it makes no sense)."""
    found = urllib.request.getproxies_environment()
    url = found.get(scheme) or found.get("all")
    if not url or urllib.request.proxy_bypass(target.text):
        return None
    try:
        parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
        usual = {"http": 80, "https": 443}[parts.scheme]
        port = parts.port or usual
        host = (parts.hostname or "").encode("ascii").decode()
    except (ValueError, KeyError):
        host = ""
    if not host:
        raise Refused(502, f"the host's own {scheme} proxy is not an http:// or https:// address")
    pair = urllib.parse.unquote_to_bytes(f"{parts.username or ''}:{parts.password or ''}")
    login = "Basic " + base64.b64encode(pair).decode()
    return _Upstream(host, port, parts.scheme == "https", (("Proxy-Authorization", login),) if parts.username else ())


@contextlib.asynccontextmanager
async def _opened(target: Target, through: _Upstream | None, *, tunnel: bool) -> AsyncIterator[Streams]:
    """A connection to the target, or to the proxy that leads there. Raises: Refused (there is none)."""
    try:
        async with asyncio.timeout(CONNECT_S):
            server = await _connect(target, through, tunnel)
    except TimeoutError:
        raise Refused(504, f"{target.text} does not answer") from None
    except (OSError, EOFError, ValueError, IndexError, asyncio.LimitOverrunError) as error:
        raise Refused(502, f"{target.text} cannot be reached: {_reason(error)}") from None
    try:
        yield server
    finally:
        drop(server[1])


def _reason(error: Exception) -> str:
    """Without addresses: the one that failed may be that of the driver's own proxy."""
    if isinstance(error, socket.gaierror):
        return error.strerror or "its name is unknown"
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number and number > 0 else "no connection"


async def _connect(target: Target, through: _Upstream | None, tunnel: bool) -> Streams:
    if through is None:
        return await asyncio.open_connection(target.host, target.port)
    reader, writer = await asyncio.open_connection(through.host, through.port, ssl=through.tls or None)
    if tunnel:
        try:
            await _ask_for_tunnel((reader, writer), target, through)
        except BaseException:
            drop(writer)
            raise
    return reader, writer


async def _ask_for_tunnel(upstream: Streams, target: Target, through: _Upstream) -> None:
    """Raises: Refused, OSError, EOFError, LimitOverrunError, ValueError, IndexError (its answer makes no sense)."""
    reader, writer = upstream
    fields = (("Host", target.text), *through.login)
    lines = [f"CONNECT {target.text} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), "", ""]
    writer.write("\r\n".join(lines).encode("ascii"))
    status = int((await reader.readuntil(b"\r\n\r\n")).split()[1])
    if not 200 <= status < 300:
        raise Refused(502, f"the host's own proxy does not lead to {target.text}: status {status}")


async def _pass_on(*ways: Streams) -> None:
    """Copy from each reader to its writer until all have ended, one breaks, or nothing moves any more."""
    try:
        async with asyncio.timeout(IDLE_S) as idle, asyncio.TaskGroup() as group:
            for source, sink in ways:
                group.create_task(_copy(source, sink, idle))
    except* OSError:
        pass


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter, idle: asyncio.Timeout) -> None:
    sink.transport.set_write_buffer_limits(0)  # so that `drain` waits until the kernel has taken everything
    while True:
        await sink.drain()
        if not idle.expired():
            idle.reschedule(asyncio.get_running_loop().time() + IDLE_S)
        piece = await source.read(_CHUNK)
        if not piece:
            break
        sink.write(piece)
    if sink.can_write_eof():
        sink.write_eof()
