"""The bytes to process 1 of a deployment and back: each hand-over is one call of its keeper, larger ones several.

A call waits a short while for an answer, and is made again: SWE-ReX's server does nothing else meanwhile, and calls
that take long are cut off by what lies between.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import threading
import time
import zlib
from concurrent.futures import Future

from swesmith_gym.errors import SandboxError
from swesmith_gym.sandboxes.connection import Channel
from swesmith_gym.sandboxes.swerex import loop
from swesmith_gym.sandboxes.swerex.deployment import CALL_S, result_of
from swesmith_gym.sandboxes.swerex.site import STORE, Site

SLICE_S = 3.0
"""How long a call waits for an answer."""
IDLE_S = 120.0
"""A keeper that nobody has called for so long ends its sandbox: the driver has died."""
BEAT_S = 30.0
"""How often an idle sandbox's keeper is called."""
END_S = 20.0
MOST = 8 << 20
"""Bytes of an answer that one call brings."""
INLINE = 64 << 10
"""Bytes of a request that go with the call; longer ones are uploaded before it."""
PIECE = 16 << 20
"""Bytes of a request, before they are packed, that one upload brings."""


class Line(Channel):
    """Made on an arranged site, whose deployment it stops at the end."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._request = bytearray()
        self._reason = ""
        self._gone = False
        self._lock = threading.Lock()
        self._call: Future[str] | None = None
        self._ending: Future[str] | None = None
        self._last = time.monotonic()
        self._beating = loop.begin(self._beat())

    def send(self, data: memoryview, deadline: float) -> int:
        """Only kept: it goes with the call that asks for the answer."""
        del deadline
        self._request += data
        return len(data)

    def receive(self, deadline: float) -> bytes | None:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        request, self._request = self._request, bytearray()
        try:
            found = self._exchange(bytes(request), min(left_s, SLICE_S))
        except SandboxError as error:
            self._note(str(error))
            return b""
        return found

    def _exchange(self, request: bytes, wait_s: float) -> bytes | None:
        env = {"SIZE": str(len(request))}
        if len(request) <= INLINE:
            env["DATA"] = base64.b64encode(request).decode()
        else:
            env["FILES"] = ":".join(self._upload(request))
        words = self._site.bridge("pass", wait_s, MOST)
        with self._lock:
            if self._ending:
                return b""
            self._call = self._site.deployment.begin(words, self._site.env(env), wait_s + CALL_S)
        data = self._read(result_of(self._call, wait_s + 2 * CALL_S))
        return data if data or self._gone else None

    def _upload(self, request: bytes) -> list[str]:
        paths = []
        for at in range(0, len(request), PIECE):
            paths.append(f"{STORE}/run/{at}")
            self._site.deployment.upload(zlib.compress(request[at : at + PIECE], 1), paths[-1])
        return paths

    def _read(self, printed: str) -> bytes:
        """What a call printed; empty where the sandbox has ended, which is noted."""
        self._last = time.monotonic()
        try:
            data = base64.b64decode(printed[2:], validate=True)
            data = zlib.decompress(data) if printed[1:2] == "z" else data
        except (ValueError, zlib.error):
            self._note(f"the SWE-ReX deployment answers {printed[:80]!r}")
            return b""
        if printed[:1] == "+":
            return data
        self._note(data.decode(errors="replace"))
        return b""

    def _note(self, reason: str) -> None:
        self._gone = True
        self._reason = self._reason or reason

    async def _beat(self) -> None:
        """Call the keeper of an idle sandbox, until the sandbox has ended."""
        while not self._gone:
            await asyncio.sleep(max(self._last + BEAT_S - time.monotonic(), 0.1))
            if time.monotonic() - self._last < BEAT_S:
                continue
            words = self._site.bridge("pass", 0, 0)
            try:
                self._read(await asyncio.wrap_future(self._site.deployment.begin(words, self._site.env({}), CALL_S)))
            except SandboxError as error:
                self._note(str(error))

    @property
    def gone(self) -> bool:
        return self._gone

    def kill(self) -> None:
        with self._lock:
            if self._ending:
                return
            self._beating.cancel()
            if self._call:
                self._call.cancel()
            words = self._site.bridge("end", 0, 0)
            self._ending = self._site.deployment.begin(words, self._site.env({}), END_S)
        self._note("the sandbox is closed")

    def remove(self) -> None:
        if self._ending:
            with contextlib.suppress(SandboxError):
                result_of(self._ending, END_S)
        self._site.deployment.stop()

    def why(self) -> str:
        return self._reason or "its process 1 has gone"
