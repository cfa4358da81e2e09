"""Network `index`: the proxy over real sockets, hostile clients included, and the relay that leads to it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import select
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from swesmith_gym.errors import InputError
from swesmith_gym.repos import index
from swesmith_gym.sandboxes import index_proxy, index_traffic, rootfs, runs
from swesmith_gym.sandboxes.index_proxy import IndexProxy, proxy_for, variables

LIMIT_S = 10.0
"""Of every wait in these tests."""
BIG = os.urandom(1 << 16) * 64


@pytest.fixture(autouse=True)
def no_upstream(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Servers:
    """Starts servers on loopback: each connection is given to a function and closed after it. Gives the port."""

    def __init__(self) -> None:
        self._listeners: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __call__(self, handler: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._listeners.append(listener)
        self._start(self._accept, listener, handler)
        return int(listener.getsockname()[1])

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args)
        thread.start()
        self._threads.append(thread)

    def _accept(self, listener: socket.socket, handler: Callable[[socket.socket], None]) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._start(self._answer, handler, listener.accept()[0])

    def _answer(self, handler: Callable[[socket.socket], None], connection: socket.socket) -> None:
        connection.settimeout(LIMIT_S)
        with connection, contextlib.suppress(OSError):
            handler(connection)

    def close(self) -> None:
        """Returns when every thread has ended; those that accept come first in the list, and start no more."""
        while self._listeners:
            listener = self._listeners.pop()
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        while self._threads:
            self._threads.pop(0).join(LIMIT_S)


@pytest.fixture
def serve() -> Iterator[Servers]:
    servers = Servers()
    yield servers
    servers.close()


def read_all(connection: socket.socket) -> bytes:
    """Up to the end, or to a reset after it."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(1 << 16):
            parts.append(piece)
    return b"".join(parts)


def read_head(connection: socket.socket) -> bytes:
    found = b""
    while not found.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        assert piece, found
        found += piece
    return found


def echo(connection: socket.socket) -> None:
    while piece := connection.recv(1 << 16):
        connection.sendall(piece)


def digest(connection: socket.socket) -> None:
    """Reads to the client's end, then answers with the hash of what came and with much more."""
    connection.sendall(hashlib.sha256(read_all(connection)).digest() + BIG)


def connect(proxy: IndexProxy) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(LIMIT_S)
    client.connect(str(proxy.socket))
    return client


def ask(proxy: IndexProxy, data: bytes) -> bytes:
    """Everything that comes back."""
    with connect(proxy) as client:
        client.sendall(data)
        return read_all(client)


def hello(name: str | None = None) -> bytes:
    """The first message of a TLS client that asks for a host by name."""
    context = ssl.create_default_context()
    context.check_hostname = False
    out = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    return out.read()


def open_tunnel(client: socket.socket, target: str) -> None:
    client.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    assert read_head(client).startswith(b"HTTP/1.1 200 ")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


# --- what passes


def test_a_tunnel_carries_much_both_ways_and_a_half_close(serve: Servers) -> None:
    target, first = f"127.0.0.1:{serve(digest)}", hello()
    with IndexProxy([target]) as proxy, connect(proxy) as client:
        open_tunnel(client, target)
        client.sendall(first + BIG)
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == hashlib.sha256(first + BIG).digest() + BIG


def test_what_the_client_sends_before_the_answer_is_not_lost(serve: Servers) -> None:
    target, first = f"localhost:{serve(echo)}", hello("localhost")
    with IndexProxy([target.upper()]) as proxy, connect(proxy) as client:
        client.sendall(f"CONNECT {target} HTTP/1.1\r\n\r\n".encode() + first + b"more")
        client.shutdown(socket.SHUT_WR)
        assert read_head(client).startswith(b"HTTP/1.1 200 ")
        assert read_all(client) == first + b"more"


def test_a_plain_request_is_passed_on_without_what_is_not_the_hosts(serve: Servers) -> None:
    seen: list[bytes] = []

    def handler(connection: socket.socket) -> None:
        seen.append(read_head(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage")
        connection.shutdown(socket.SHUT_WR)
        seen.append(read_all(connection))
        ended.set()

    ended = threading.Event()
    target = f"127.0.0.1:{serve(handler)}"
    request = (
        f"GET HTTP://{target}?q=@evil HTTP/1.1\r\nHost: other.example\r\nAccept: text/html\r\n"
        "Connection: X-Hop, close\r\nX-Hop: 1\r\nProxy-Authorization: Basic eA==\r\nContent-Length: 9\r\n"
        "Upgrade: h2c\r\n\r\nGET /second HTTP/1.1\r\nHost: other.example\r\n\r\n"
    )
    with IndexProxy([target]) as proxy:
        assert ask(proxy, request.encode()).endswith(b"\r\n\r\npage")
        assert ended.wait(LIMIT_S)
    first = f"GET /?q=@evil HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\nAccept: text/html\r\n\r\n"
    assert seen == [first.encode(), b""]


def test_port_80_is_meant_where_none_is_named() -> None:
    with IndexProxy(["127.0.0.1:80"]) as proxy:  # nothing listens there, or something answers
        answer = ask(proxy, b"HEAD http://127.0.0.1/simple/ HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 ")
    assert b" 403 " not in answer.splitlines()[0]


def test_a_hundred_connections_at_once(serve: Servers) -> None:
    barrier = threading.Barrier(100)

    def handler(connection: socket.socket) -> None:
        data = read_all(connection)
        barrier.wait(LIMIT_S)  # all of them are open now
        connection.sendall(data)

    target, first = f"127.0.0.1:{serve(handler)}", hello()

    def one(number: int) -> bytes:
        with connect(proxy) as client:
            open_tunnel(client, target)
            client.sendall(first + b"%d" % number)
            client.shutdown(socket.SHUT_WR)
            return read_all(client)

    with IndexProxy([target]) as proxy, ThreadPoolExecutor(100) as threads:
        assert list(threads.map(one, range(100))) == [first + b"%d" % number for number in range(100)]


# --- what does not


DENIED = [
    "CONNECT evil.example:443",
    "CONNECT {host}:{other}",
    "CONNECT {host}.evil.example:{port}",
    "CONNECT {host}.:{port}",
    "CONNECT {host}@evil.example:{port}",
    "CONNECT evil.example@{host}:{port}",
    "CONNECT user:pw@{host}:{port}",
    "CONNECT {host}:0{port}",
    "CONNECT {host}:{port}:443",
    "CONNECT {host}",
    "CONNECT {host}:",
    "CONNECT :{port}",
    "CONNECT 2130706433:{port}",
    "CONNECT 0x7f.1:{port}",
    "CONNECT [::ffff:{host}]:{port}",
    "CONNECT http://{host}:{port}/",
    "GET http://{host}:{other}/",
    "GET http://{host}/",
    "GET http://{host}:/",
    "GET http://user@{host}:{port}/",
    "GET http://{host}:{port}@evil.example/",
    "GET http://{host}:{port}\\@evil.example/",
    "GET http://{host}:{port}%2f@evil.example/",
    "GET http:///{host}:{port}/",
    "GET http://evil.example/http://{host}:{port}/",
]


@pytest.mark.parametrize("line", DENIED)
def test_a_host_that_is_not_listed_is_neither_looked_up_nor_reached(
    line: str, serve: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    port, other = serve(lambda _: asked.append("reached")), serve(lambda _: asked.append("reached"))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *wanted, **_: asked.append(wanted))
    line = line.format(host="127.0.0.1", port=port, other=other)
    with IndexProxy([f"127.0.0.1:{port}", "pypi.example:443"]) as proxy:
        answer = ask(proxy, f"{line} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert body.endswith(f"which reaches 127.0.0.1:{port}, pypi.example:443\n".encode())
    assert body.count(b"\n") == 1
    assert not asked


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST http://{}/ HTTP/1.1\r\n\r\n", 405),
        (b"get http://{}/ HTTP/1.1\r\n\r\n", 405),
        (b"OPTIONS * HTTP/1.1\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\nHost: {}\r\n\r\n", 400),
        (b"GET https://{}/ HTTP/1.1\r\n\r\n", 400),
        (b"GET http://{}#@evil.example/ HTTP/1.1\r\n\r\n", 400),
        (b"GET http://{}/ HTTP/2\r\n\r\n", 400),
        (b"GET  http://{}/ HTTP/1.1\r\n\r\n", 400),
        (b"GET http://{}/\nHost: x HTTP/1.1\r\n\r\n", 400),
        (b"GET http://{}/ HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400),
        (b"GET http://{}/ HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"GET http://{}/ HTTP/1.1\r\nA: b\nGET /x HTTP/1.1\r\n\r\n", 400),
        (b"GET http://{}/ HTTP/1.1\r\nA: \0\r\n\r\n", 400),
        ("CONNECT {} HTTP/1.1\r\nA: \u017f\r\n\r\n".encode(), 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"GET http://{}/ HTTP/1.1\r\nA: " + b"a" * (17 << 10) + b"\r\n\r\n", 431),
        (b"a" * (1 << 20), 431),
    ],
)
def test_nonsense_is_answered(request_: bytes, status: int, serve: Servers) -> None:
    reached: list[int] = []
    target = f"127.0.0.1:{serve(lambda _: reached.append(1))}"
    with IndexProxy([target]) as proxy:
        answer = ask(proxy, request_.replace(b"{}", target.encode()))
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert not reached


def test_a_header_that_has_no_end_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_traffic, "HEADER_S", 0.1)
    with IndexProxy([]) as proxy:
        with connect(proxy) as client:
            client.sendall(b"GET http")
            client.shutdown(socket.SHUT_WR)
            assert read_all(client).startswith(b"HTTP/1.1 400 ")
        with connect(proxy) as client:
            client.sendall(b"GET http")
            assert read_all(client).startswith(b"HTTP/1.1 408 ")
        with connect(proxy) as client:
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b""


def hidden(first: bytes) -> bytes:
    """The same message with an encrypted one in it."""
    body = first[9:]
    at = 34 + 1 + body[34]
    at += 2 + int.from_bytes(body[at : at + 2], "big")
    at += 1 + body[at]
    extensions = body[at + 2 :] + b"\xfe\x0d\0\1\0"
    body = body[:at] + len(extensions).to_bytes(2, "big") + extensions
    return b"\x16\3\1" + (len(body) + 4).to_bytes(2, "big") + b"\1" + len(body).to_bytes(3, "big") + body


NOT_FOR_US: dict[str, Callable[[], bytes]] = {
    "another host": lambda: hello("raw.example"),
    "a longer name": lambda: hello("localhost.raw.example"),
    "no name": hello,
    "a hidden name": lambda: hidden(hello("localhost")),
    "damaged": lambda: hello("localhost")[:200] + bytes(400),
    "no TLS": lambda: b"GET / HTTP/1.1\r\nHost: raw.example\r\n\r\n",
    "empty": lambda: b"\x16\x03\x01\x00\x00",
    "short": lambda: b"\x16\x03\x01\x00\x04\x01\x00\x00\x00",
    "another kind": lambda: b"\x17\x03\x03" + hello("localhost")[3:],
}


@pytest.mark.parametrize("kind", NOT_FOR_US)
def test_a_tunnel_is_for_tls_with_its_own_host_only(kind: str, serve: Servers) -> None:
    reached: list[bytes] = []
    target = f"localhost:{serve(lambda connection: reached.append(read_all(connection)))}"
    with IndexProxy([target]) as proxy, connect(proxy) as client:
        open_tunnel(client, target)
        client.sendall(NOT_FOR_US[kind]())
        assert read_all(client) == bytes((21, 3, 3, 0, 2, 2, 49))
    assert reached in ([], [b""])


def test_a_tunnel_that_says_nothing_or_goes_quiet_is_closed(serve: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_traffic, "HEADER_S", 0.1)
    monkeypatch.setattr(index_traffic, "IDLE_S", 0.2)
    target, first = f"127.0.0.1:{serve(echo)}", hello()
    with IndexProxy([target]) as proxy:
        with connect(proxy) as client:
            open_tunnel(client, target)
            assert read_all(client) == b""
        with connect(proxy) as client:
            open_tunnel(client, target)
            client.sendall(first)
            assert read_all(client) == first


def test_a_client_that_does_not_read_is_given_up(serve: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_traffic, "IDLE_S", 0.2)
    ended = threading.Event()

    def flood(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(BIG)
        ended.set()

    target = f"127.0.0.1:{serve(flood)}"
    with IndexProxy([target]) as proxy, connect(proxy) as client:
        open_tunnel(client, target)
        client.sendall(hello())
        assert ended.wait(LIMIT_S)


def test_connections_beyond_the_limit_are_told_so(serve: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_proxy, "MOST_CONNECTIONS", 2)
    target = f"127.0.0.1:{serve(echo)}"
    with IndexProxy([target]) as proxy, connect(proxy) as one, connect(proxy) as two:
        open_tunnel(one, target)
        open_tunnel(two, target)
        with connect(proxy) as third:
            assert read_all(third).startswith(b"HTTP/1.1 503 ")
        two.sendall(b"no TLS")
        read_all(two)
        with connect(proxy) as again:
            open_tunnel(again, target)


def test_a_host_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_traffic, "CONNECT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = f"127.0.0.1:{unused.getsockname()[1]}"
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as stack:
        silent = f"127.0.0.1:{full.getsockname()[1]}"
        waiting = [stack.enter_context(socket.socket()) for _ in range(8)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        with IndexProxy([closed, silent, "unknown.invalid:443"]) as proxy:
            assert b"Connection refused" in ask(proxy, f"CONNECT {closed} HTTP/1.1\r\n\r\n".encode())
            assert ask(proxy, f"CONNECT {silent} HTTP/1.1\r\n\r\n".encode()).startswith(b"HTTP/1.1 504 ")
            assert ask(proxy, b"CONNECT unknown.invalid:443 HTTP/1.1\r\n\r\n")[:12] in (
                b"HTTP/1.1 502",
                b"HTTP/1.1 504",
            )


@pytest.mark.parametrize("entry", ["pypi.org", "pypi.org:0", "pypi.org:70000", "https://pypi.org:443", "a@b:1", ":1"])
def test_a_list_with_a_bad_entry_is_refused(entry: str) -> None:
    with pytest.raises(InputError, match="not HOST:PORT"):
        IndexProxy([entry])


# --- its life


def test_closing_ends_connections_and_leaves_nothing(serve: Servers, state: Path) -> None:
    before = descriptors(), set((state / "run").glob("*"))
    threads = set(threading.enumerate())  # a proxy of the whole process may be among them
    target = f"127.0.0.1:{serve(echo)}"
    proxy = IndexProxy([target])
    assert proxy.alive
    assert proxy.folder.stat().st_mode & 0o777 == 0o711
    assert proxy.socket.stat().st_mode & 0o777 == 0o666
    with connect(proxy) as tunnel, connect(proxy) as waiting, connect(proxy) as looking:
        open_tunnel(tunnel, target)
        looking.sendall(f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())
        proxy.close()
        assert read_all(tunnel) == read_all(waiting) == b""
        read_all(looking)
    proxy.close()
    assert not proxy.alive
    serve.close()
    assert (descriptors(), set((state / "run").glob("*"))) == before
    assert not [t for t in threading.enumerate() if "index-proxy" in t.name and t not in threads]


def test_a_process_has_one_proxy_for_each_list_and_a_forked_one_its_own(serve: Servers) -> None:
    target = f"127.0.0.1:{serve(echo)}"
    ours = proxy_for(frozenset({target}))
    assert proxy_for(frozenset({target})) is ours
    assert proxy_for(frozenset()) is not ours
    with connect(ours) as client:
        open_tunnel(client, target)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            try:
                theirs = proxy_for(frozenset({target}))
                ours.close()  # not the child's to close
                os.write(writing, str(theirs.folder).encode())
                theirs.close()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        os.close(writing)
        with os.fdopen(reading) as answer:
            folder = Path(answer.read())
        assert folder != ours.folder
        assert not folder.exists()
        client.sendall(hello())
        assert client.recv(1) == b"\x16"
    runs.remove_tree(ours.folder)
    again = proxy_for(frozenset({target}))
    assert again is not ours
    again.close()
    proxy_for(frozenset()).close()


def test_after_a_kill_the_next_driver_removes_it() -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writing, f"{IndexProxy([]).folder}\n".encode())
            signal.pause()
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as answer:
        folder = Path(answer.readline().strip())
    assert folder not in runs.stale_runs()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert folder in runs.stale_runs()
    runs.remove_tree(folder)


def test_the_end_of_the_driver_closes_it() -> None:
    code = (
        "from swesmith_gym.sandboxes.index_proxy import proxy_for; found = proxy_for(frozenset());"
        "assert found.alive; print(found.folder)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "proxy-" in done.stdout
    assert not Path(done.stdout.strip()).exists()
    assert not done.stderr


def test_a_state_folder_with_a_long_path_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWESMITH_GYM_HOME", str(tmp_path / ("long" * 30)))
    with IndexProxy([]) as proxy:
        assert ask(proxy, b"CONNECT a:1 HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 403 ")
    assert not proxy.folder.exists()


def test_variables_lead_to_the_relay_but_for_the_sandboxs_own_servers() -> None:
    found = variables(["pypi.org:443"])
    assert found["HTTPS_PROXY"] == found["http_proxy"] == f"http://127.0.0.1:{rootfs.INDEX_PORT}"
    assert found["NO_PROXY"] == "localhost,127.0.0.1"
    assert variables(["127.0.0.1:3141"])["no_proxy"] == ""


# --- the driver's own proxy


def upstream(seen: list[bytes], answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> Callable[[socket.socket], None]:
    """A proxy that does what it is asked, and notes it."""

    def handler(connection: socket.socket) -> None:
        seen.append(read_head(connection))
        if seen[-1].startswith(b"GET "):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\npage")
            return
        connection.sendall(answer)
        echo(connection)

    return handler


def test_tunnels_lead_through_the_drivers_own_proxy(serve: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    monkeypatch.setenv("HTTPS_PROXY", f"http://us%40er:p%3Aw@127.0.0.1:{serve(upstream(seen))}")
    first = hello("pypi.invalid")
    with IndexProxy(["pypi.invalid:443"]) as proxy, connect(proxy) as client:
        open_tunnel(client, "pypi.invalid:443")
        client.sendall(first + b"more")
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == first + b"more"
    login = base64.b64encode(b"us@er:p:w")
    assert seen == [
        b"CONNECT pypi.invalid:443 HTTP/1.1\r\nHost: pypi.invalid:443\r\nProxy-Authorization: Basic %b\r\n\r\n" % login
    ]


def test_plain_requests_lead_through_the_drivers_own_proxy(serve: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    monkeypatch.setenv("http_proxy", f"127.0.0.1:{serve(upstream(seen))}")
    with IndexProxy(["pypi.invalid:80"]) as proxy:
        answer = ask(proxy, b"GET http://pypi.invalid/simple/?a=b HTTP/1.1\r\nAccept: a\r\n\r\n")
    assert answer.endswith(b"page")
    assert seen[0].startswith(b"GET http://pypi.invalid:80/simple/?a=b HTTP/1.1\r\nHost: pypi.invalid:80\r\n")


def test_hosts_that_are_exempt_are_reached_without_it(serve: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    target, first = f"localhost:{serve(echo)}", hello("localhost")
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{serve(upstream(seen))}")
    monkeypatch.setenv("NO_PROXY", "other.example,localhost")
    with IndexProxy([target]) as proxy, connect(proxy) as client:
        open_tunnel(client, target)
        client.sendall(first)
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == first
    assert not seen


@pytest.mark.parametrize("answer", [b"HTTP/1.1 407 No\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"nonsense \r\n\r\n", b""])
def test_a_refusal_of_the_drivers_own_proxy_is_told_without_its_login(
    answer: bytes, serve: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(answer)

    monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{serve(handler)}")
    with IndexProxy(["pypi.invalid:443"]) as proxy:
        found = ask(proxy, b"CONNECT pypi.invalid:443 HTTP/1.1\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 502 ")
    assert b"secret" not in found


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:1", "http://127.0.0.1:port", "http://"])
def test_a_proxy_of_the_driver_that_makes_no_sense_is_not_passed_by(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    with IndexProxy(["pypi.invalid:443"]) as proxy:
        found = ask(proxy, b"CONNECT pypi.invalid:443 HTTP/1.1\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 502 ")
    assert b"the host's own https proxy is not an http:// or https:// address\n" in found


@pytest.mark.network
def test_the_real_index_answers_through_a_tunnel() -> None:
    url = urllib.parse.urlsplit(index.index_url())
    if url.scheme != "https" or not url.hostname:
        pytest.skip("the index is not on https")
    ca = index.ca_file()
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    with IndexProxy(index.hosts(index.index_url())) as proxy, connect(proxy) as client:
        client.settimeout(60)
        open_tunnel(client, f"{url.hostname}:{url.port or 443}")
        with context.wrap_socket(client, server_hostname=url.hostname) as secure:
            secure.sendall(f"GET {url.path}/six/ HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n".encode())
            answer = read_all(secure)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"six-1.16.0" in answer


# --- the relay


PROCESS_1 = """
import os, sys
sys.path.insert(0, sys.argv[2])
from inside.processes import Children
from inside.relay import Relay
private = os.open(os.devnull, os.O_RDONLY)
children = Children()
relay = Relay(sys.argv[1], 0, children)
print(relay._listener.getsockname()[1], flush=True)
while True:
    relay.ensure()
    print(relay.pid, flush=True)
    if not sys.stdin.readline():
        break
"""


class Process1:
    """A process that has a relay, and makes sure of it on each `ensure`."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", "-c", PROCESS_1, str(path), str(Path(index_proxy.__file__).parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port, self.pid = self._line(), self._line()

    def _line(self) -> int:
        assert self.process.stdout
        return int(self.process.stdout.readline())

    def ensure(self) -> int:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.pid = self._line()
        return self.pid

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), LIMIT_S)


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Process1]:
    """Leads to the socket `s` in `tmp_path`."""
    found = Process1(tmp_path / "s")
    yield found
    found.process.kill()
    with found.process:
        wait_for_end(found.pid)


def wait_for_end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        assert select.select([descriptor], [], [], LIMIT_S)[0]
        os.close(descriptor)


def test_the_relay_leads_to_the_proxy_and_back(serve: Servers, tmp_path: Path, relay: Process1) -> None:
    target, first = f"127.0.0.1:{serve(digest)}", hello()
    expected = hashlib.sha256(first + BIG).digest() + BIG

    def one(_: int) -> bytes:
        with relay.connect() as client:
            open_tunnel(client, target)
            client.sendall(first + BIG)
            client.shutdown(socket.SHUT_WR)
            return read_all(client)

    with IndexProxy([target]) as proxy, ThreadPoolExecutor(8) as threads:
        (tmp_path / "s").symlink_to(proxy.socket)
        assert list(threads.map(one, range(8))) == [expected] * 8
        with relay.connect() as client:
            client.sendall(b"a" * (1 << 20))
            assert read_all(client).startswith(b"HTTP/1.1 431 ")


def test_the_relay_takes_more_connections_than_it_serves_at_once(
    serve: Servers, tmp_path: Path, relay: Process1
) -> None:
    target, first = f"127.0.0.1:{serve(echo)}", hello()
    with IndexProxy([target]) as proxy, contextlib.ExitStack() as stack:
        (tmp_path / "s").symlink_to(proxy.socket)
        clients = [stack.enter_context(relay.connect()) for _ in range(300)]
        for client in clients:
            client.sendall(f"CONNECT {target} HTTP/1.1\r\n\r\n".encode() + first)
            client.shutdown(socket.SHUT_WR)
        for client in clients:
            assert read_all(client).endswith(first)


def test_a_relay_that_has_no_proxy_closes_connections_and_goes_on(tmp_path: Path, relay: Process1) -> None:
    for _ in range(3):
        with relay.connect() as client:
            assert read_all(client) == b""
    with IndexProxy([]) as proxy:
        (tmp_path / "s").symlink_to(proxy.socket)
        with relay.connect() as client:
            client.sendall(b"CONNECT a:1 HTTP/1.1\r\n\r\n")
            assert read_all(client).startswith(b"HTTP/1.1 403 ")


def test_a_relay_that_was_killed_or_stopped_is_there_again(tmp_path: Path, relay: Process1) -> None:
    with IndexProxy([]) as proxy:
        (tmp_path / "s").symlink_to(proxy.socket)
        for number, same in ((signal.SIGKILL, False), (signal.SIGSTOP, True), (signal.SIGCONT, True)):
            before = relay.pid
            os.kill(before, number)
            if number == signal.SIGKILL:
                wait_for_end(before)
            assert (relay.ensure() == before) is same
            with relay.connect() as client:
                client.sendall(b"CONNECT a:1 HTTP/1.1\r\n\r\n")
                assert read_all(client).startswith(b"HTTP/1.1 403 ")


def test_the_relay_keeps_nothing_of_process_1_and_ends_with_it(relay: Process1) -> None:
    folder = Path(f"/proc/{relay.pid}/fd")
    with relay.connect() as client:
        read_all(client)  # it runs
    if os.geteuid() == 0:
        held = sorted(os.readlink(entry) for entry in folder.iterdir())
        assert held[:3] == ["/dev/null"] * 3
        assert [name.partition(":")[0] for name in held[3:]] == ["socket"]  # its listener
    else:
        with pytest.raises(PermissionError):  # it cannot be inspected
            list(folder.iterdir())
    relay.process.kill()
    wait_for_end(relay.pid)
