"""Text that a language model wrote, turned into the one action that it asks for.

Three ways of writing a call, told apart by themselves:

- a fenced `bash` block: the command (the single word `submit` submits);
- `<tool_call>{"name": …, "arguments": {…}}</tool_call>`, JSON, as Hermes and Qwen models write it;
- `<function=NAME><parameter=KEY>value</parameter></function>`, as SWE-agent's XML models write it.

Exactly one call a turn: what else the text says is thought, and is dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, SupportsFloat

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

FORMATS = ("bash", "json", "xml")

_OPENING = re.compile(r"(?P<ticks>`{3,})(?:bash|sh|shell)[ \t]*")
_CALL = re.compile(r"<tool_call>(?P<name>)")
_FUNCTION = re.compile(r"<function=(?P<name>[\w.-]+)>")
_PARAMETER = re.compile(r"<parameter=(?P<name>[\w.-]+)>")

_ASK = {
    "bash": "a command in a ```bash block (the word `submit` alone, to submit)",
    "json": '<tool_call>{"name": "bash", "arguments": {"command": "…"}}</tool_call>',
    "xml": "<function=bash><parameter=command>…</parameter></function>",
}

Schemas = Mapping[str, Mapping[str, Any]]
"""Tool name -> JSON schema of each of its parameters."""


class ToolCallError(ValueError):
    """The text holds no call, more than one, or one that cannot be read. The message is for the model."""


@dataclass(frozen=True, slots=True)
class _Span:
    """A call as it stands in the text, not read yet."""

    start: int
    end: int
    form: str
    name: str
    body: str


def parse_tool_call(text: str, formats: Sequence[str] = FORMATS, schemas: Schemas | None = None) -> dict[str, Any]:
    """The one call in `text` as `{"tool": …, …}`. `schemas` tells which XML values are not text.

    A call inside another one is part of its text: a command may write a file that shows a call. Linear in the length.
    Raises: ToolCallError.
    """
    text = text.replace("\r\n", "\n")
    outer: list[_Span] = []
    for span in sorted((s for form in formats for s in _FINDERS[form](text)), key=lambda s: (s.start, -s.end)):
        if not outer or span.start >= outer[-1].end:
            outer.append(span)
    if len(outer) != 1:
        raise ToolCallError(f"found {len(outer)} tool calls" if outer else "found no tool call")
    return _read(outer[0], schemas or {})


def _fences(text: str) -> Iterator[_Span]:
    start, body, ticks, offset = 0, 0, "", 0
    for line in StringIO(text):
        opening = _OPENING.fullmatch(line.rstrip("\n"))
        if not ticks and opening:
            start, body, ticks = offset, offset + len(line), opening["ticks"]
        elif ticks and line.startswith(ticks) and not line.strip().strip("`"):
            yield _Span(start, offset + len(line), "bash", "bash", text[body:offset].removesuffix("\n"))
            ticks = ""
        offset += len(line)


def _tool_calls(text: str) -> Iterator[_Span]:
    return _tagged(text, "json", _CALL, "</tool_call>")


def _functions(text: str) -> Iterator[_Span]:
    return _tagged(text, "xml", _FUNCTION, "</function>")


def _tagged(text: str, form: str, opening: re.Pattern[str], closing: str) -> Iterator[_Span]:
    begin = opening.search(text)
    while begin and (end := text.find(closing, begin.end())) >= 0:
        yield _Span(begin.start(), end + len(closing), form, begin["name"], text[begin.end() : end])
        begin = opening.search(text, end)


_FINDERS = {"bash": _fences, "json": _tool_calls, "xml": _functions}


def _read(span: _Span, schemas: Schemas) -> dict[str, Any]:
    if span.form == "json":
        return _read_json(span.body)
    if span.form == "xml":
        types = schemas.get(span.name, {})
        found = _tagged(span.body, "value", _PARAMETER, "</parameter>")
        values = {part.name: _value(part.body, types.get(part.name, {})) for part in found}
        return {**values, "tool": span.name}
    return {"tool": "submit"} if span.body.strip() == "submit" else {"tool": "bash", "command": span.body}


def _read_json(body: str) -> dict[str, Any]:
    try:
        call = json.loads(body)
        arguments = call.get("arguments", {}) if isinstance(call, dict) else None
        if isinstance(arguments, str):
            arguments = json.loads(arguments or "{}")
    except (ValueError, RecursionError) as error:
        raise ToolCallError(f"the tool call is not valid JSON ({error})") from error
    if not isinstance(call, dict) or not isinstance(call.get("name"), str) or not isinstance(arguments, dict):
        raise ToolCallError('the tool call needs a "name" and an object of "arguments"')
    return {**arguments, "tool": call["name"]}


def _value(raw: str, schema: Mapping[str, Any]) -> Any:
    """Text without the line breaks around it; numbers and lists where the schema says that it is no text."""
    value = raw.removeprefix("\n").removesuffix("\n")
    if schema.get("type", "string") == "string":
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def schemas_of(tools: Any) -> dict[str, Mapping[str, Any]]:
    """Parameter schemas by tool name, from `info["tools"]` in either of the two usual shapes; {} where it has none."""
    found: dict[str, Mapping[str, Any]] = {}
    for tool in tools if isinstance(tools, (list, tuple)) else ():
        function = tool.get("function", tool) if isinstance(tool, Mapping) else {}
        parameters = function.get("parameters", {})
        properties = parameters.get("properties", {}) if isinstance(parameters, Mapping) else {}
        if isinstance(function.get("name"), str) and isinstance(properties, Mapping):
            found[function["name"]] = properties
    return found


class ParseToolCalls(gym.Wrapper[str, Any, str, Any], RecordConstructorArgs):
    """Actions are a model's raw text; the environment gets the tool call in it.

    Text without exactly one readable call costs a step like any other malformed action: the environment gets a
    call that names no tool, and the observation asks for the format; `info["format_error"]` says what was
    wrong. A `dict` is passed on as it is. Never raises on any action.

    Raises on construction: ValueError (a format that is not in `FORMATS`, or none).
    """

    def __init__(self, env: gym.Env[str, Any], formats: Sequence[str] = FORMATS) -> None:
        if not formats or not set(formats) <= set(FORMATS):
            raise ValueError(f"formats must be some of {', '.join(FORMATS)}, not {list(formats)}")
        RecordConstructorArgs.__init__(self, formats=formats)
        gym.Wrapper.__init__(self, env)
        self.formats = tuple(formats)
        self._schemas: Schemas = {}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """As the wrapped environment's; the tools' schemas are kept for reading XML calls."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._schemas = schemas_of(info.get("tools"))
        return observation, info

    def step(self, action: Any) -> tuple[str, SupportsFloat, bool, bool, dict[str, Any]]:
        """Do the one call that the text asks for, or answer with the format."""
        if not isinstance(action, str):
            return self.env.step(action)
        try:
            call = parse_tool_call(action, self.formats, self._schemas)
        except ToolCallError as error:
            _, reward, terminated, truncated, info = self.env.step({"tool": ""})
            return self._ask(str(error)), reward, terminated, truncated, {**info, "format_error": str(error)}
        return self.env.step(call)

    def _ask(self, problem: str) -> str:
        wanted = "\nor\n".join(_ASK[name] for name in self.formats)
        return f"Nothing was run: {problem}. Give exactly one tool call, written as\n{wanted}\n"
