"""Prompts as data: a TOML file with `system` and `user`, whose `$placeholders` are filled in for each request.

A user replaces one with a file of the same name in a folder of their own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from string import Template

from swesmith_gym.errors import InputError
from swesmith_gym.lm.base import Message

PARTS = ("system", "user")


@dataclass(frozen=True, slots=True)
class Prompt:
    """Two templates (`string.Template`; `$$` is a dollar sign). What is filled in is not looked at for placeholders."""

    system: str
    """What the model is, and the rules; empty: no such message is sent."""
    user: str
    """What is asked."""

    def messages(self, **values: str) -> tuple[Message, ...]:
        """The messages of a request. `values`: a text for each placeholder."""
        texts = {part: Template(getattr(self, part)).substitute(values) for part in PARTS}
        return tuple({"role": part, "content": text} for part, text in texts.items() if text.strip())


def read(name: str, ours: Path, users: Path | None, placeholders: Collection[str]) -> Prompt:
    """The prompt `NAME.toml` of a user's folder; without such a folder, of ours.

    `placeholders`: names that are filled in; a prompt need not use all.
    Raises: InputError (no such file, not TOML, a part that is missing or no text, another placeholder).
    """
    path = (ours if users is None else users) / f"{name}.toml"
    if not path.is_file():
        raise InputError(f"{path}: no such file: a folder of prompts holds {name}.toml; begin with a copy of ours")
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not TOML ({error})") from error
    for part in data:
        if part not in PARTS:
            raise InputError(f"{path}: unknown field {part!r}: a prompt has {' and '.join(PARTS)}")
    for part in PARTS:
        if not isinstance(data.get(part), str):
            raise InputError(f"{path}: the field {part!r} must be a text")
        _check(data[part], f"{path}: the field {part!r}", placeholders)
    if not data["user"].strip():
        raise InputError(f"{path}: the field 'user' is empty: nothing would be asked")
    return Prompt(data["system"], data["user"])


def _check(text: str, where: str, placeholders: Collection[str]) -> None:
    known = ", ".join(f"${each}" for each in sorted(placeholders))
    for found in re.finditer(Template.pattern, text):
        if found["invalid"] is not None:
            line = text.count("\n", 0, found.start()) + 1
            raise InputError(f"{where} has a lone `$` in line {line}: write `$$` for the sign itself")
        name = found["named"] or found["braced"]
        if name and name not in placeholders:
            raise InputError(f"{where} has an unknown placeholder ${name}: known are {known}")
