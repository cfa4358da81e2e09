"""What a model's reply asks for: one command, or the answer. Strict: all else is said back to the model."""

from __future__ import annotations

import tomllib
from typing import Any

from swesmith_gym.lm import fences
from swesmith_gym.repos.proposals import Proposal

MOST_CHARS = 100_000
MOST_COMMAND_CHARS = 20_000
_SHELL = frozenset({"bash", "sh", "shell"})
_FIELDS = {"python": str, "install": list, "test_command": str, "env": dict}
_SAID = {str: "a string", list: "a list of strings", dict: "a table of strings"}


class MalformedReply(ValueError):
    """A reply is neither a command nor an answer; the message says why, for the model to read."""


def parse(text: str) -> str | Proposal:
    """The command, or the answer. Raises: MalformedReply."""
    if len(text) > MOST_CHARS:
        raise MalformedReply(f"it is longer than {MOST_CHARS} characters")
    blocks = [part for part in fences.parts(fences.spoken(text)) if part.block and part.closed]
    found = [(block.mark, block.text) for block in blocks if block.mark in _SHELL or block.mark == "toml"]
    if len(found) != 1:
        raise MalformedReply(f"it holds {len(found) or 'no'} blocks of ```bash or ```toml that are closed, not one")
    kind, body = found[0]
    return _answer(body) if kind == "toml" else _command(body)


def _command(body: str) -> str:
    command = body.strip("\n")
    if not command.strip():
        raise MalformedReply("its command is empty")
    if "\0" in command or len(command) > MOST_COMMAND_CHARS:
        raise MalformedReply(f"its command holds a NUL byte, or more than {MOST_COMMAND_CHARS} characters")
    return command.encode("utf-8", "replace").decode()


def _answer(body: str) -> Proposal:
    try:
        data = tomllib.loads(body)
    except tomllib.TOMLDecodeError as error:
        raise MalformedReply(f"its answer is not TOML: {error}") from error
    except RecursionError as error:
        raise MalformedReply("its answer is nested too deep") from error
    data.setdefault("env", {})
    for name in (*_FIELDS, *data):
        _check(name, data)
    return Proposal(data["python"], tuple(data["install"]), data["test_command"], data["env"])


def _check(name: str, data: dict[str, Any]) -> None:
    if name not in _FIELDS:
        raise MalformedReply(f"its answer has a field {name[:40]!r}, which is none of {', '.join(_FIELDS)}")
    if name not in data:
        raise MalformedReply(f"its answer lacks `{name}`")
    value, kind = data[name], _FIELDS[name]
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if not isinstance(value, kind) or not all(isinstance(each, str) for each in inner):
        raise MalformedReply(f"`{name}` of its answer has to be {_SAID[kind]}")
