"""Network `index`: what programs inside send to a port of their loopback goes to the driver's proxy, and back.

A process of its own, forked from process 1, since process 1 waits for commands. It knows nothing of HTTP and decides
nothing: the proxy does, outside. Process 1 keeps the port, and starts another relay where the last one was killed.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # the public module imports enum
import _socket  # the public module imports enum, too
import os
import select

from .processes import CHUNK, PR_SET_DUMPABLE, Children, prctl

PR_SET_PDEATHSIG = 1
MOST_CONNECTIONS = 256
"""More wait until one of these ends."""


class Relay:
    """Made once by process 1, before anything else runs. Raises: OSError (the port is taken)."""

    def __init__(self, socket_path: str, port: int, children: Children) -> None:
        self.pid = 0
        self._path = socket_path
        self._children = children
        self._listener = listen(port)

    def ensure(self) -> None:
        """Before each command: start it, where it does not run."""
        self._children.reap()
        if self.pid and self.pid not in self._children.ended:
            os.kill(self.pid, signal.SIGCONT)  # a command may have stopped it
            return
        self._children.forget(self.pid)
        self.pid = start(self._listener, self._path)
        self._children.watch(self.pid)


def listen(port: int) -> _socket.socket:
    listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(MOST_CONNECTIONS)
    listener.setblocking(False)
    return listener


def start(listener: _socket.socket, socket_path: str) -> int:
    """Fork a relay; its process id. Of our descriptors it keeps none but the listener."""
    pid = os.fork()
    if pid:
        return pid
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        _close_others(listener.fileno())
        Loop(listener, socket_path).run()
    finally:
        os._exit(1)


def _close_others(kept: int) -> None:
    """The driver's connection and the session's pipes, whose ends have to close when process 1 closes them."""
    nothing = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != kept:
            try:
                os.close(int(name))
            except OSError:
                continue  # the one that the list was read with


class Flow:
    """One direction of a connection. It holds one piece at most: the next is read when that has been written."""

    def __init__(self, source: _socket.socket, sink: _socket.socket) -> None:
        self.source = source
        self.sink = sink
        self.held = b""
        self.ended = False
        """The source sends no more."""
        self.done = False
        """The sink was told the end, or takes no more: what still comes is thrown away, so that the source is heard
        out and an answer on its way to it is not lost."""

    def read(self) -> None:
        try:
            piece = self.source.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        self.ended = not piece
        if not self.done:
            self.held = piece
            self.write()

    def write(self) -> None:
        try:
            if self.held:
                self.held = self.held[self.sink.send(self.held) :]
            if self.ended and not self.held:
                self.done = True
                self.sink.shutdown(_socket.SHUT_WR)
        except BlockingIOError:
            return
        except OSError:
            self.held = b""
            self.done = True


class Loop:
    """Every connection of the sandbox. `flows`: descriptor -> the flow from it and the flow to it."""

    def __init__(self, listener: _socket.socket, socket_path: str) -> None:
        self.listener = listener
        self.path = socket_path
        self.poll = select.poll()
        self.flows: dict[int, tuple[Flow, Flow]] = {}

    def run(self) -> None:
        self._listen()
        while True:
            for number, events in self.poll.poll():
                if number == self.listener.fileno():
                    self._accept()
                elif number in self.flows:
                    self._move(number, events)

    def _listen(self) -> None:
        self.poll.register(self.listener, select.POLLIN)

    def _accept(self) -> None:
        try:
            client = _socket.socket(fileno=self.listener._accept()[0])  # type: ignore[attr-defined]
            server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:  # no descriptors are left
            self._pause()
            return
        try:
            client.setblocking(False)
            client.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            server.setblocking(False)
            server.connect(self.path)
        except OSError:  # the driver's proxy has gone
            server.close()
            client.close()
            return
        there, back = Flow(client, server), Flow(server, client)
        self.flows[client.fileno()] = there, back
        self.flows[server.fileno()] = back, there
        self._watch(client)
        self._watch(server)
        if len(self.flows) >= 2 * MOST_CONNECTIONS:
            self._pause()

    def _pause(self) -> None:
        """Until a connection ends."""
        if self.flows:
            self.poll.unregister(self.listener)

    def _move(self, number: int, events: int) -> None:
        """Data, room, or an end. An event of a descriptor that was closed and given out again does no harm."""
        out, into = self.flows[number]
        if into.held and events & ~select.POLLIN:
            into.write()
        if not out.held and not out.ended and events & ~select.POLLOUT:
            out.read()
        if out.done and into.done:
            self._close(out)
        else:
            self._watch(out.source)
            self._watch(out.sink)

    def _watch(self, end: _socket.socket) -> None:
        """Ask for what can be used only: an end that is left alone would be reported again and again."""
        out, into = self.flows[end.fileno()]
        events = 0 if out.held or out.ended else select.POLLIN
        events |= select.POLLOUT if into.held else 0
        if events:
            self.poll.register(end, events)
        else:
            self._forget(end)

    def _forget(self, end: _socket.socket) -> None:
        try:
            self.poll.unregister(end)
        except KeyError:
            return

    def _close(self, flow: Flow) -> None:
        for end in (flow.source, flow.sink):
            self._forget(end)
            del self.flows[end.fileno()]
            end.close()
        self._listen()
