"""A real OpenAI-compatible endpoint on the loopback interface, with faults that a test switches on.

    with Endpoint(lambda messages: "an answer") as endpoint:
        endpoint.fail(too_many("0"), GARBAGE)  # what the next two requests get; `always` is what all of them get
        ... base_url=endpoint.url ...
        assert endpoint.calls == 3

Tests of other folders say `from lm.endpoint import Endpoint`.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Messages = list[dict[str, str]]
Reply = Callable[[Messages], str]


@dataclass(frozen=True)
class Asked:
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        return str(self.body["messages"][-1]["content"])


@dataclass(frozen=True)
class Raw:
    """What to send instead of an answer."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """Promise more bytes than are sent, and hang up."""
    endless: bool = False
    """Send the body again and again until the other side hangs up."""
    hang: bool = False
    """Send nothing at all until the endpoint is closed."""
    drip: bool = False
    """Send the head and one byte, then nothing more until the endpoint is closed."""


def refusal(status: int, message: str = "no", *, headers: dict[str, str] | None = None, **fields: Any) -> Raw:
    """A refusal in OpenAI's form."""
    return Raw(json.dumps({"error": {"message": message, **fields}}).encode(), status, headers or {})


def too_many(retry_after: str | None = "0") -> Raw:
    return refusal(429, "slow down", headers={} if retry_after is None else {"Retry-After": retry_after})


def context_exceeded() -> Raw:
    return refusal(
        400,
        "This model's maximum context length is 4096 tokens.",
        type="x",
        code="context_length_exceeded",
        param="messages",
    )


def completion(text: Any, **fields: Any) -> dict[str, Any]:
    """A chat completion in OpenAI's form, with `fields` in place of its own."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    whole = {"id": "x", "object": "chat.completion", "created": 0, "model": "tiny", "choices": [choice], "usage": usage}
    return {**whole, **fields}


def answer(text: Any, **fields: Any) -> Raw:
    return Raw(json.dumps(completion(text, **fields)).encode())


HANG = Raw(hang=True)
DRIP = Raw(drip=True)
GARBAGE = Raw(b"<html>Bad gateway \x1b[31m\xff\x00</html>")
HALF_JSON = Raw(json.dumps(completion("an answer")).encode()[:-30])
HALF_SENT = Raw(b'{"id": "x", "cho', cut=True)
STREAM = Raw(b"data: {}\n\n", headers={"Content-Type": "text/event-stream"}, endless=True)
LONG = answer("x" * 200_000)


class Endpoint:
    """The server. Closing it, or leaving its `with` block, ends every request that hangs."""

    def __init__(self, reply: Reply = lambda messages: "an answer", *, key: str | None = None) -> None:
        """`key`: requests without it are refused."""
        self.reply, self.key = reply, key
        self.faults: deque[Raw] = deque()
        """Each is what one request gets, in order; requests after them are answered."""
        self.always: Raw | None = None
        """What every request gets after those."""
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self.changed = threading.Condition()
        self.ended = threading.Event()
        self._now = 0
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def calls(self) -> int:
        """Requests that have arrived."""
        with self.changed:
            return len(self.asked)

    def wait_for(self, calls: int, timeout_s: float = 30) -> None:
        """Until so many requests have arrived."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.asked) >= calls, timeout_s), (
                f"{len(self.asked)} requests came"
            )

    def fail(self, *faults: Raw) -> None:
        """What the next requests get."""
        self.faults.extend(faults)

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def took(self, asked: Asked) -> Raw:
        """What a request gets. Counts it first."""
        with self.changed:
            self.asked.append(asked)
            fault = self.faults.popleft() if self.faults else self.always
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            self.changed.notify_all()
        try:
            if self.key and asked.headers.get("authorization") != f"Bearer {self.key}":
                return refusal(401, f"Incorrect API key provided: {asked.headers.get('authorization')}")
            return fault or answer(self.reply(asked.body["messages"]))
        finally:
            with self.changed:
                self._now -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The other side hung up: that is what tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(self.server.endpoint.took(Asked(self.path, headers, body)))

    def _send(self, raw: Raw) -> None:
        if raw.hang:
            self.server.endpoint.ended.wait()
            return
        unfinished = raw.cut or raw.endless or raw.drip
        self.send_response(raw.status)
        for name, value in ({"Content-Type": "application/json"} | raw.headers).items():
            self.send_header(name, value)
        if not raw.endless:
            self.send_header("Content-Length", str(len(raw.body) + 100 * unfinished))
        self.send_header("Connection", "close" if unfinished else "keep-alive")
        self.end_headers()
        self.wfile.write(b"{" if raw.drip else raw.body)
        self.close_connection = unfinished
        if raw.drip:
            self.server.endpoint.ended.wait()
        while raw.endless and not self.server.endpoint.ended.is_set():
            self.wfile.write(raw.body * 100)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


def echo(messages: Sequence[dict[str, str]]) -> str:
    """A reply that tells requests apart."""
    return f"echo: {messages[-1]['content']}"
