"""Prompts as data: one TOML file each, ours in `prompts/`, and a user's own that come before them.

A file has `name` (as the file), `kinds` (of the entities that it is for), `system`, `user` and, for a further turn
after an answer that was no use, `again`. Placeholders are `$name` or `${name}`, a dollar sign itself is `$$`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from swesmith_gym.errors import InputError

PLACEHOLDERS: Mapping[str, str] = {
    "code": "the entity: whole for lm_modify, without its body for lm_rewrite",
    "context": "the entity in its place in the file, as much of that as the limit allows",
    "kind": "function or class",
    "language": "of the code",
    "name": "of the entity, qualified",
    "path": "of the file",
}
"""What a prompt may ask for."""
REASON = "reason"
"""Further placeholder of `again`: one sentence."""
_KINDS = ("function", "class")
_FIELDS = ("name", "kinds", "system", "user", "again")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")
_AGAIN = "That answer cannot be used: $reason\n\nAnswer again in the same form.\n"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is told and asked. The texts are templates that have been checked."""

    name: str
    kinds: tuple[str, ...]
    """Of entities that it is for."""
    system: str
    """Empty: there is no such message."""
    user: str
    again: str
    """Further turn, after an answer that was no use."""

    @property
    def wants_context(self) -> bool:
        """It asks for the file around the entity."""
        return "context" in {*Template(self.system).get_identifiers(), *Template(self.user).get_identifiers()}


def filled(template: str, values: Mapping[str, str]) -> str:
    """A template's text. Dollar signs in the values stand for themselves."""
    return Template(template).substitute(values).strip() + "\n"


def load(name: str, folder: Path | None = None) -> Prompt:
    """A prompt by name: from `folder`, else one of ours. Raises: InputError (file, field, what is wrong)."""
    if not _NAME.fullmatch(name):
        raise InputError(f"not a name of a prompt: {name!r}; use letters, digits, `-`, `_` and `.`")
    if folder is not None and not folder.is_dir():
        raise InputError(f"{folder}: no such folder; prompts are files NAME.toml in a folder")
    places = [each for each in (folder, _shipped()) if each is not None]
    path = next((each / f"{name}.toml" for each in places if (each / f"{name}.toml").is_file()), None)
    if path is None:
        known = sorted({file.stem for place in places for file in place.glob("*.toml")})
        raise InputError(
            f"no prompt {name!r}; there are {', '.join(known)}; add a file {name}.toml to a folder of prompts"
        )
    return _parsed(_text(path), path)


def _shipped() -> Path:
    return Path(str(resources.files("swesmith_gym.bugs") / "prompts"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _parsed(text: str, path: Path) -> Prompt:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not TOML: {error}") from error
    for field in sorted(set(data) - set(_FIELDS)):
        raise InputError(f"{path}: unknown field `{field}`; a prompt has {', '.join(_FIELDS)}")
    texts = {field: _field(data, field, path) for field in ("name", "system", "user", "again")}
    if texts["name"] != path.stem:
        raise InputError(f"{path}: `name` is {texts['name']!r}, the file's name says {path.stem!r}")
    prompt = Prompt(path.stem, _kinds(data, path), texts["system"], texts["user"], texts["again"])
    for field in ("system", "user"):
        _check(texts[field], path, field, tuple(PLACEHOLDERS))
    _check(prompt.again, path, "again", (*(each for each in PLACEHOLDERS if each != "context"), REASON))
    if not {"code", "context"} & set(Template(prompt.user).get_identifiers()):
        raise InputError(f"{path}: `user` shows no code: put $code or $context into it")
    return prompt


def _field(data: Mapping[str, Any], field: str, path: Path) -> str:
    value = data.get(field, {"system": "", "again": _AGAIN}.get(field))
    if not isinstance(value, str) or (not value.strip() and field != "system"):
        raise InputError(f"{path}: `{field}` must be text and not empty")
    return value


def _kinds(data: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    value = data.get("kinds", list(_KINDS))
    if not isinstance(value, list) or not value or any(each not in _KINDS for each in value):
        raise InputError(f"{path}: `kinds` must be a list of {' and '.join(map(repr, _KINDS))}")
    return tuple(dict.fromkeys(value))


def _check(text: str, path: Path, field: str, known: tuple[str, ...]) -> None:
    template = Template(text)
    if not template.is_valid():
        raise InputError(
            f"{path}: `{field}` holds a dollar sign that begins no placeholder; write $$ for the sign itself"
        )
    for name in template.get_identifiers():
        if name not in known:
            named = ", ".join(f"${each}" for each in known)
            raise InputError(f"{path}: `{field}` holds the unknown placeholder ${name}; known are {named}")
