"""Group N: no way out, and a network of one's own that works.

Where the host has no network either, a way out is looked for to this process: it listens on the host meanwhile.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from swesmith_gym.sandboxes.conformance.case import Case, Need
from swesmith_gym.sandboxes.conformance.trial import WAYS, Trial, demand, shown

_PROMPT_S = 8.0
_NEEDS: tuple[Need, ...] = ("network_isolation",)
_OUTSIDE = "192.0.2.1"
"""An address that stands for any outside one (RFC 5737); nothing is sent there."""
_NO_ROUTE = (
    "import errno\nNONE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EPERM, errno.EACCES, errno.EAFNOSUPPORT)\n"
)
_TRY = """
import socket
def said(act):
  try:
    act()
  except TimeoutError:
    return "none"
  except OSError as error:
    return "none" if error.errno in NONE else f"answer: {error}"
  return "open"
"""

_ASK = """
import re, socket
question = b'\\x12\\x34\\x01\\0\\0\\x01\\0\\0\\0\\0\\0\\0\\x07example\\x03com\\0\\0\\x01\\0\\x01'
servers = ['1.1.1.1', '127.0.0.11', '127.0.0.53']
try: servers += re.findall(r'^nameserver ([0-9.]+)', open('/etc/resolv.conf').read(), re.M)
except OSError: pass
for server in set(servers):
  try:
    ask = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ask.settimeout(1)
    ask.connect((server, 53))
    ask.send(question)
    print(server, ask.recv(512))
  except OSError: pass
print('asked')
"""


def _addresses() -> list[str]:
    """Of this host: the loopback's, and the one that a way out would leave by."""
    found = ["127.0.0.1"]
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect((_OUTSIDE, 9))
        except OSError:
            return found  # no way out of this host at all
        return [*found, str(probe.getsockname()[0])]


@contextmanager
def _listeners(kind: socket.SocketKind) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        found = []
        for address in _addresses():
            each = stack.enter_context(closing(socket.socket(socket.AF_INET, kind)))
            each.bind((address, 0))
            each.settimeout(0)
            if kind == socket.SOCK_STREAM:
                each.listen()
            found.append(each)
        yield found


def _nothing_came(listeners: list[socket.socket], kind: str) -> None:
    for each in listeners:
        try:
            if each.type == socket.SOCK_DGRAM:
                each.recv(100)
            else:
                each.accept()[0].close()
        except BlockingIOError:
            continue
        demand(False, f"{kind} reaches the host at {each.getsockname()[0]}")


def _closed(trial: Trial, code: str, words: str) -> None:
    """Code that prints `none` for each way that is closed."""
    for way in WAYS:
        result = trial.python(way, _NO_ROUTE + _TRY + code, timeout_s=_PROMPT_S * 2)
        fine = result.exit_code == 0 and set(result.stdout.split()) == {b"none"}
        demand(fine, f"{way}: {words}: {shown(result)}")


def _tcp(trial: Trial) -> None:
    with _listeners(socket.SOCK_STREAM) as listeners:
        targets = [("1.1.1.1", 53), (_OUTSIDE, 80), ("2606:4700:4700::1111", 53)]
        code = f"for target in {targets}: print(said(lambda: socket.create_connection(target, 2).close()))\n"
        _closed(trial, code, "a TCP connection leads somewhere")
        own = [each.getsockname() for each in listeners]
        code = f"for target in {own}:\n  try: socket.create_connection(target, 2)\n  except OSError: print('none')"
        _closed(trial, code, "a TCP connection leads to the host")
        _nothing_came(listeners, "a TCP connection")


def _udp(trial: Trial) -> None:
    with _listeners(socket.SOCK_DGRAM) as listeners:
        own = [each.getsockname() for each in listeners]
        send = "socket.socket(2, 2).sendto(b'out', target)"
        _closed(trial, f"for target in [('1.1.1.1', 53)]: print(said(lambda: {send}))", "a UDP packet leaves")
        for way in WAYS:
            trial.python(way, f"import socket\nfor target in {own}:\n  try: {send}\n  except OSError: pass")
        _nothing_came(listeners, "a UDP packet")


def _dns(trial: Trial) -> None:
    names = ("example.com", f"{secrets.token_hex(8)}.example.org")
    look_up = (
        f"import socket\nfor name in {names}:\n  try: print(name, socket.getaddrinfo(name, 80))\n"
        "  except OSError: print('none')"
    )
    for way in WAYS:
        result = trial.python(way, look_up, timeout_s=_PROMPT_S * 3)
        demand(set(result.stdout.split()) == {b"none"}, f"{way}: a name of the outside has an address: {shown(result)}")
        result = trial.python(way, _ASK, timeout_s=_PROMPT_S * 3)
        demand(result.stdout == b"asked\n", f"{way}: a name server answers: {shown(result)}")


def _metadata(trial: Trial) -> None:
    targets = [("169.254.169.254", 80), ("169.254.170.2", 80), ("fd00:ec2::254", 80)]
    code = f"for target in {targets}: print(said(lambda: socket.create_connection(target, 2).close()))"
    _closed(trial, code, "a metadata address of a cloud is reached")


def _loopback(trial: Trial) -> None:
    code = (
        "import socket, threading\nserver = socket.create_server(('127.0.0.1', 0))\n"
        "threading.Thread(target=lambda: server.accept()[0].sendall(b'hello')).start()\n"
        "print(socket.create_connection(server.getsockname(), 5).recv(9))\n"
        "one, two = socket.socket(2, 2), socket.socket(2, 2)\none.bind(('127.0.0.1', 0))\n"
        "two.sendto(b'packet', one.getsockname())\none.settimeout(5)\nprint(one.recv(9))\n"
        "print(socket.getaddrinfo('localhost', 80)[0][4][0] in ('127.0.0.1', '::1'))"
    )
    for way in WAYS:
        result = trial.python(way, code)
        fine = result.stdout == b"b'hello'\nb'packet'\nTrue\n"
        demand(fine, f"{way}: the own network does not work: {shown(result)}")


def _loopback6(trial: Trial) -> str:
    """Both answers are right; that both ways give the same one, and what it is, is to be known."""
    code = (
        "import socket, threading\ntry:\n  server = socket.create_server(('::1', 0), family=socket.AF_INET6)\n"
        "except OSError as error:\n  print('refused:', error.strerror)\nelse:\n"
        "  threading.Thread(target=lambda: server.accept()[0].sendall(b'hello')).start()\n"
        "  print('works' if socket.create_connection(server.getsockname()[:2], 5).recv(9) == b'hello' else 'broken')"
    )
    found = set()
    for way in WAYS:
        result = trial.python(way, code)
        demand(
            result.stdout.startswith((b"works", b"refused: ")), f"{way}: neither works nor is refused: {shown(result)}"
        )
        found.add(result.stdout.decode().strip())
    demand(len(found) == 1, f"the answers differ: {sorted(found)}")
    return f"::1 {found.pop()}"


def _own_name(trial: Trial) -> None:
    code = (
        "import socket, time\nbegan = time.monotonic()\nname = socket.gethostname()\n"
        "print(name, socket.gethostbyname(name).startswith('127.'), time.monotonic() - began < 2)\n"
        "socket.getaddrinfo(name, 80); socket.getfqdn()"
    )
    for way in WAYS:
        result = trial.python(way, code)
        demand((result.stdout, result.exit_code) == (b"sandbox True True\n", 0), f"{way}: {shown(result)}")


def _abstract(trial: Trial) -> None:
    """A socket that has a name but no file: a sandbox that shares the host's network would reach it."""
    name = f"conformance-{secrets.token_hex(8)}"
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(f"\0{name}")
        server.listen()
        server.settimeout(0)
        code = f"import socket\nname = {name!r}\ntry: socket.socket(1).connect(chr(0) + name)\n"
        code += "except ConnectionRefusedError: print('none')\nprint(name in open('/proc/net/unix').read())"
        for way in WAYS:
            result = trial.python(way, code)
            demand(
                result.stdout == b"none\nFalse\n", f"{way}: an abstract socket of the host is there: {shown(result)}"
            )


CASES = (
    Case("N01", "N", "egress TCP", _tcp, _NEEDS),
    Case("N02", "N", "egress UDP", _udp, _NEEDS),
    Case("N03", "N", "egress DNS", _dns, _NEEDS),
    Case("N04", "N", "metadata address", _metadata, _NEEDS),
    Case("N05", "N", "127.0.0.1 works", _loopback, _NEEDS),
    Case("N06", "N", "::1 status known", _loopback6),
    Case("N07", "N", "gethostname resolves", _own_name, _NEEDS),
    Case("N08", "N", "abstract unix socket to host absent", _abstract, _NEEDS),
)
