"""From an action to a tool call that is known to be well formed. Schemas are the one description of the tools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_TEXT = {"type": "string"}
_PATH = {"type": "string", "description": "Absolute path, or relative to the work tree."}


def _schema(
    name: str, description: str, required: dict[str, Any], optional: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": required | (optional or {}),
                "required": list(required),
                "additionalProperties": False,
            },
        },
    }


TOOLS: tuple[dict[str, Any], ...] = (
    _schema(
        "bash",
        "Run a command in the persistent shell; the working directory and variables are kept between calls.",
        {"command": _TEXT},
    ),
    _schema(
        "view",
        "Show a file with line numbers, or list a folder two levels deep.",
        {"path": _PATH},
        {
            "view_range": {
                "type": "array",
                "items": {"type": "integer"},
                "minItems": 2,
                "maxItems": 2,
                "description": "First and last line, counted from 1; -1 as the last means the end.",
            }
        },
    ),
    _schema("create", "Make a file, or replace the whole content of one.", {"path": _PATH, "file_text": _TEXT}),
    _schema(
        "str_replace",
        "Replace `old_str`, which must occur exactly once in the file, by `new_str`.",
        {"path": _PATH, "old_str": _TEXT},
        {"new_str": _TEXT},
    ),
    _schema(
        "insert",
        "Insert text after a line (0: at the beginning of the file).",
        {"path": _PATH, "insert_line": {"type": "integer"}, "new_str": _TEXT},
    ),
    _schema("undo_edit", "Take back the last edit of a file that was made with these tools.", {"path": _PATH}),
    _schema("submit", "Hand in the work tree as it is. Ends the episode.", {}),
)
"""JSON schemas of the tools, in the form of function-calling interfaces."""

_PARAMETERS: dict[str, dict[str, Any]] = {t["function"]["name"]: t["function"]["parameters"] for t in TOOLS}


@dataclass(frozen=True, slots=True)
class Call:
    """A well-formed tool call."""

    tool: str
    arguments: dict[str, Any]


class MalformedAction(ValueError):
    """The text is the observation that the agent gets."""


def parse(action: object) -> Call:
    """The tool call that an action stands for. Raises: MalformedAction."""
    if isinstance(action, str):
        return Call("bash", {"command": _clean("command", action)})
    if not isinstance(action, dict):
        raise MalformedAction(
            "An action is a shell command (a string) or a tool call (an object with a `tool`), "
            f"not {type(action).__name__}."
        )
    tool = action.get("tool")
    if not isinstance(tool, str) or tool not in _PARAMETERS:
        raise MalformedAction(f"There is no tool {tool!r}. The tools are: {', '.join(_PARAMETERS)}.")
    given = {key: value for key, value in action.items() if key != "tool"}
    parameters = _PARAMETERS[tool]
    unknown = sorted(str(key) for key in given if key not in parameters["properties"])
    if unknown:
        raise MalformedAction(f"{tool} takes no argument {unknown[0]!r}.")
    for name in parameters["required"]:
        if name not in given:
            raise MalformedAction(f"{tool} needs the argument {name!r}.")
    return Call(
        tool, {name: _value(tool, name, value, parameters["properties"][name]) for name, value in given.items()}
    )


def _value(tool: str, name: str, value: object, schema: dict[str, Any]) -> Any:
    kind = schema["type"]
    if kind == "string" and isinstance(value, str):
        return _clean(name, value)
    if kind == "integer" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind == "array" and isinstance(value, (list, tuple)) and len(value) == schema["maxItems"]:
        return [_value(tool, name, item, schema["items"]) for item in value]
    raise MalformedAction(f"{tool}: the argument {name!r} must be of type {kind}.")


def _clean(name: str, value: str) -> str:
    if "\0" in value:
        raise MalformedAction(f"The argument {name!r} holds a NUL character, which no command or file name can.")
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        code = ord(value[error.start])
        raise MalformedAction(
            f"The argument {name!r} holds U+{code:04X}, half of a surrogate pair, which no text in UTF-8 can."
        ) from None
    return value
