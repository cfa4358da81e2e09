"""The way out of a sandbox with network `index`: an HTTP(S) proxy on a Unix socket that reaches listed hosts only.

One per driver process and set of hosts, in a thread of its own; a sandbox without any network is shown its socket. What
may pass is decided in `index_rules`, how it is passed on in `index_traffic`; here is the listener and its lifetime.

Not protected against: what the listed hosts themselves pass on, and one sandbox that uses up the connections which it
shares with the others of its driver.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import secrets
import selectors
import socket
import tempfile
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from swesmith_gym.home import home
from swesmith_gym.sandboxes import rootfs, runs
from swesmith_gym.sandboxes.index_rules import AllowList, Refused
from swesmith_gym.sandboxes.index_traffic import HEADER_BYTES, drop, serve

MOST_CONNECTIONS = 512
CLOSE_S = 10.0
"""How long `close` waits: for a look-up of a name that does not end."""
_LONGEST_PATH = 107
_LOOPBACK = ("localhost", "127.0.0.1")


class IndexProxy:
    """Made by the driver, which closes it, once or many times, from any thread. A forked child's `close` does nothing.

    Raises: InputError (a host is not `HOST:PORT`), OSError.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        self._allowed = AllowList(hosts)
        self._owner = os.getpid()
        self._closed = False
        self._tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._stop = asyncio.Event()
        self.folder = _make_folder()
        self.socket = self.folder / "socket"
        try:
            runs.claim(self.folder)
            listener = _listen(self.socket)
        except BaseException:
            runs.remove_tree(self.folder)
            raise
        # an epoll set would be shared with forked children, and they could take our descriptors out of it
        self._loop = asyncio.SelectorEventLoop(selectors.PollSelector())
        self._thread = threading.Thread(target=self._serve, args=(listener,), name="index-proxy", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """It answers: nobody has closed it or removed its folder."""
        return not self._closed and self._thread.is_alive() and self.socket.exists()

    def close(self) -> None:
        """End every connection and leave nothing behind. Never raises."""
        if self._closed or os.getpid() != self._owner:
            return
        self._closed = True
        with contextlib.suppress(RuntimeError):  # its thread has ended by itself
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(CLOSE_S)
        runs.remove_tree(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _serve(self, listener: socket.socket) -> None:
        with ThreadPoolExecutor(4, "index-proxy-names") as names, contextlib.closing(self._loop):
            self._loop.set_default_executor(names)
            self._loop.run_until_complete(self._accept(listener))

    async def _accept(self, listener: socket.socket) -> None:
        server = await asyncio.start_unix_server(self._admit, sock=listener, limit=HEADER_BYTES, backlog=1024)
        await self._stop.wait()
        server.close()
        writers, others = list(self._tasks.values()), asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for writer in writers:  # a task that had not begun has not closed its own
            drop(writer)
        await asyncio.sleep(0)  # the round in which they are closed

    def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= MOST_CONNECTIONS:
            writer.write(Refused(503, f"{MOST_CONNECTIONS} connections are open already").answer)
            writer.close()
            return
        task = self._loop.create_task(serve((reader, writer), self._allowed))
        self._tasks[task] = writer
        task.add_done_callback(self._tasks.pop)


_proxies: dict[tuple[int, frozenset[str]], IndexProxy] = {}
_proxies_lock = threading.Lock()
os.register_at_fork(
    before=_proxies_lock.acquire, after_in_parent=_proxies_lock.release, after_in_child=_proxies_lock.release
)


def proxy_for(hosts: frozenset[str]) -> IndexProxy:
    """The proxy of this process for these hosts: made on first use, closed at exit; a forked process makes its own.

    Raises: InputError, OSError.
    """
    key = os.getpid(), hosts
    with _proxies_lock:
        found = _proxies.get(key)
        if found is None or not found.alive:
            if found:
                found.close()
            found = _proxies[key] = IndexProxy(hosts)
            atexit.register(found.close)
        return found


def variables(hosts: Iterable[str]) -> dict[str, str]:
    """What tells programs inside to use the proxy. Their own servers they reach without it, unless the index is there:
    on the driver's loopback."""
    at_home = any(host.rpartition(":")[0] in _LOOPBACK for host in hosts)
    address, direct = f"http://127.0.0.1:{rootfs.INDEX_PORT}", "" if at_home else ",".join(_LOOPBACK)
    found = {"http_proxy": address, "https_proxy": address, "no_proxy": direct}
    return found | {name.upper(): value for name, value in found.items()}


def _make_folder() -> Path:
    folder = home() / "run" / f"proxy-{secrets.token_hex(8)}"
    if len(os.fsencode(folder / "socket")) > _LONGEST_PATH:
        folder = Path(tempfile.mkdtemp(prefix="swesmith-gym-proxy-"))
    else:
        folder.mkdir(parents=True)
    folder.chmod(0o711)
    return folder


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        path.chmod(0o666)  # code inside may run as another user
        listener.listen(1024)
    except BaseException:
        listener.close()
        raise
    return listener
