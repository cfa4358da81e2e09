"""Prompts as data: TOML files, ours inside the package, and a user's own that come before them.

Who asks says in a `Form` what its file holds; here it is found, read and checked. A text is taken as it stands: `$name`
and `${name}` are filled in for each request, and a dollar sign itself is `$$`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from swesmith_gym import visible
from swesmith_gym.errors import InputError
from swesmith_gym.lm.base import Message

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")


@dataclass(frozen=True, slots=True)
class Text:
    """A field that is a template."""

    placeholders: Collection[str] = ()
    """Names that are filled in; it need not use all."""
    default: str | None = None
    """Where the file lacks it; None: it may not. A text may be blank only where this is."""
    shows: Collection[str] = ()
    """It must use one of these placeholders; none: it need not."""


@dataclass(frozen=True, slots=True)
class Words:
    """A field that is a list of known words, one at least. Where the file lacks it: all of them."""

    known: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A field that is a number within bounds. Where the file lacks it: None."""

    least: float
    most: float


Form = Mapping[str, Text | Words | Number]
"""Name of a field -> what it must be."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The two texts that most prompts have."""

    system: str
    """What the model is, and the rules; blank: no such message is sent."""
    user: str
    """What is asked."""

    def messages(self, **values: str) -> tuple[Message, ...]:
        """The messages of a request. `values`: a text for each placeholder."""
        texts = {"system": filled(self.system, **values), "user": filled(self.user, **values)}
        return tuple({"role": role, "content": text} for role, text in texts.items() if text.strip())


def system_and_user(*placeholders: str) -> Form:
    """What a file for a `Prompt` holds."""
    return {"system": Text(placeholders, default=""), "user": Text(placeholders)}


def filled(template: str, **values: str) -> str:
    """A template's text. What is filled in is not looked at for placeholders."""
    return Template(template).substitute(values)


def uses(template: str) -> set[str]:
    """Its placeholders."""
    return set(Template(template).get_identifiers())


def read(name: str, ours: Path, users: Path | None, form: Form) -> dict[str, Any]:
    """What `NAME.toml` holds, a value for each field of the form: a text, a tuple of words or a number. The file is the
    one in the user's folder; where that has none of this name, or there is no such folder, ours.

    Raises: InputError, on one line (file, field, what is wrong).
    """
    path = _found(name, ours, users)
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path}: not TOML: {error}") from error
    for field in sorted(set(data) - set(form)):
        raise InputError(f"{path}: unknown field `{visible.line(field)}`; known are {', '.join(form)}")
    return {field: _value(data, field, kind, path) for field, kind in form.items()}


def _found(name: str, ours: Path, users: Path | None) -> Path:
    if not _NAME.fullmatch(name):
        raise InputError(f"not a name of a prompt: {name!r}; use letters, digits, `-`, `_` and `.`")
    if users is not None and not users.is_dir():
        raise InputError(f"{users}: no such folder; prompts are files NAME.toml in a folder")
    places = [ours] if users is None else [users, ours]
    if users is not None and not any(users.glob("*.toml")):
        raise InputError(f"{users}: holds no prompt; prompts are files NAME.toml, begin with a copy of one in {ours}")
    path = next((file for place in places if (file := place / f"{name}.toml").is_file()), None)
    if path is None:
        known = sorted({file.stem for place in places for file in place.glob("*.toml")})
        raise InputError(
            f"no prompt {name!r}; there are {', '.join(known)}; add a file {name}.toml to a folder of prompts"
        )
    return path


def _value(data: Mapping[str, Any], field: str, kind: Text | Words | Number, path: Path) -> Any:
    if isinstance(kind, Text):
        return _text(data, field, kind, path)
    return _words(data, field, kind, path) if isinstance(kind, Words) else _number(data, field, kind, path)


def _text(data: Mapping[str, Any], field: str, kind: Text, path: Path) -> str:
    if field not in data and kind.default is not None:
        return kind.default
    if field not in data:
        raise InputError(f"{path}: the field `{field}` is missing")
    value, may_be_blank = data[field], kind.default is not None and not kind.default.strip()
    if not isinstance(value, str) or not (value.strip() or may_be_blank):
        raise InputError(f"{path}: `{field}` must be text{'' if may_be_blank else ' and not empty'}")
    for found in re.finditer(Template.pattern, value):
        where = f"{path}: `{field}`, line {value.count(chr(10), 0, found.start()) + 1}"
        if found["invalid"] is not None:
            raise InputError(f"{where}: a lone `$`; write `$$` for the sign itself")
        name = found["named"] or found["braced"]
        if name and name not in kind.placeholders:
            known = ", ".join(f"${each}" for each in sorted(kind.placeholders)) or "none"
            raise InputError(f"{where}: unknown placeholder ${name}; known are {known}")
    if kind.shows and uses(value).isdisjoint(kind.shows):
        wanted = " or ".join(f"${each}" for each in kind.shows)
        raise InputError(f"{path}: `{field}` lacks what it is about: put {wanted} into it")
    return value


def _words(data: Mapping[str, Any], field: str, kind: Words, path: Path) -> tuple[str, ...]:
    value = data.get(field, list(kind.known))
    if not isinstance(value, list) or not value or any(each not in kind.known for each in value):
        raise InputError(f"{path}: `{field}` must be a list of {' and '.join(map(repr, kind.known))}")
    return tuple(dict.fromkeys(value))


def _number(data: Mapping[str, Any], field: str, kind: Number, path: Path) -> float | None:
    value = data.get(field)
    if value is None:
        return None
    if type(value) not in (int, float) or not kind.least <= value <= kind.most:
        raise InputError(f"{path}: `{field}` must be a number from {kind.least:g} to {kind.most:g}")
    return float(value)
