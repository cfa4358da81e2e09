"""Profile files: one TOML file a repository, with its lock beside it; beside one that an agent
found also the transcript of its work.

Those that a user adds lie in HOME/profiles and come before the shipped ones of the same name.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any

from swesmith_gym.errors import InputError, ProfileError
from swesmith_gym.home import home, write_atomic
from swesmith_gym.records import RepoProfile, TestSetup

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}")
LOCK = ".lock"
TRANSCRIPT = ".agent.jsonl"
"""What lies beside a profile, by the end of its name."""


def user_folder() -> Path:
    """Where profiles that a user adds lie."""
    return home() / "profiles"


def shipped_folder() -> Path:
    """Where the profiles lie that came with this package."""
    return Path(str(resources.files("swesmith_gym.repos") / "profiles"))


def check_name(name: str) -> str:
    """`name`, if it can be one. Raises: InputError."""
    if not NAME.fullmatch(name):
        raise InputError(f"not a name for a repository: {name!r}; use letters, digits, `-`, `_` and `.`")
    return name


def names() -> list[str]:
    """Names of all profiles, sorted."""
    return sorted({path.stem for folder in (user_folder(), shipped_folder()) for path in folder.glob("*.toml")})


def path_of(name: str) -> Path:
    """The file of a profile. Raises: ProfileError (there is none)."""
    check_name(name)
    for folder in (user_folder(), shipped_folder()):
        if (folder / f"{name}.toml").is_file():
            return folder / f"{name}.toml"
    known = ", ".join(names()) or "none"
    raise ProfileError(f"no repository {name!r}; known are {known}; add one: swesmith-gym repos add SOURCE")


def load(name: str) -> RepoProfile:
    """A profile by name. Raises: ProfileError (there is none, or its file is unusable), InputError."""
    path = path_of(name)
    profile = parse(path.read_text(encoding="utf-8"), str(path))
    if profile.name != name:
        raise ProfileError(f"{path}: `name` is {profile.name!r}, the file's name says {name!r}")
    return profile


def lock(name: str) -> str:
    """Text of the lock beside a profile; empty where there is none."""
    try:
        return path_of(name).with_suffix(LOCK).read_text(encoding="utf-8")
    except (FileNotFoundError, ProfileError):
        return ""


def transcript_of(name: str) -> Path:
    """Where the transcript of the agent that found a profile lies, if one did. Raises: ProfileError (no profile)."""
    return path_of(name).with_suffix(TRANSCRIPT)


def save(profile: RepoProfile, lock_text: str | None = None, transcript: str | None = None) -> Path:
    """Write a user's profile. `lock_text`, `transcript`: None leaves the one beside it as it is, empty removes it."""
    path = user_folder() / f"{check_name(profile.name)}.toml"
    new = {path.with_suffix(LOCK): lock_text, path.with_suffix(TRANSCRIPT): transcript}
    for beside, text in new.items():
        if text is not None:  # first: a profile that is stopped here at worst lacks its lock, and has not another's
            beside.unlink(missing_ok=True)
    write_atomic(path, render(profile))
    for beside, text in new.items():
        if text:
            write_atomic(beside, text)
    return path


def keep_lock(profile: RepoProfile, text: str) -> None:
    """Keep a lock beside a user's profile that has none; not beside another profile of the same name."""
    mine = user_folder() / f"{check_name(profile.name)}.toml"
    if mine.exists() and not lock(profile.name) and load(profile.name) == profile:
        write_atomic(mine.with_suffix(LOCK), text)


def remove(name: str) -> None:
    """Delete a user's profile and what lies beside it. Raises: ProfileError (there is none, or it is a shipped one)."""
    path = path_of(name)
    if path.parent != user_folder():
        raise ProfileError(f"{name} came with swesmith-gym and cannot be removed; add one of that name to replace it")
    for each in (path, path.with_suffix(LOCK), path.with_suffix(TRANSCRIPT)):
        each.unlink(missing_ok=True)


def approve(name: str) -> RepoProfile:
    """Record that a person has approved a profile: its copy among the user's. Raises: as `load`."""
    from dataclasses import replace

    profile = replace(load(name), approved=True)
    save(profile, lock(name))
    return profile


def parse(text: str, where: str) -> RepoProfile:
    """A profile from TOML; `where` is named in errors. Raises: ProfileError, one line, naming the field."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{where}: not TOML: {error}") from error
    test = data.pop("test", {})
    if not isinstance(test, dict):
        raise ProfileError(f"{where}: `test` must be a table")
    setup = TestSetup(**_checked(TestSetup, test, where, "test."))
    profile = RepoProfile(**_checked(RepoProfile, data, where, ""), test=setup)
    if not NAME.fullmatch(profile.name):
        raise ProfileError(f"{where}: `name` is not a usable name: {profile.name!r}")
    if not 0 < setup.timeout_s <= 86_400:
        raise ProfileError(f"{where}: `test.timeout_s` must be between 0 and 86400 seconds")
    return profile


_KINDS = {"str": str, "bool": bool, "float": (int, float), "tuple[str, ...]": list, "Mapping[str, str]": dict}


def _checked(kind: type[Any], data: dict[str, Any], where: str, prefix: str) -> dict[str, Any]:
    known = {f.name: str(f.type) for f in fields(kind) if f.name != "test"}
    out = {}
    for name, value in data.items():
        if name not in known:
            raise ProfileError(f"{where}: unknown field `{prefix}{name}`; known are {', '.join(known)}")
        wanted = _KINDS[known[name]]
        inner = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
        if not isinstance(value, wanted) or not all(isinstance(v, str) for v in inner):  # type: ignore[arg-type]
            raise ProfileError(f"{where}: `{prefix}{name}` must be a {_said(known[name])}, not {value!r}")
        out[name] = tuple(value) if isinstance(value, list) else float(value) if known[name] == "float" else value
    missing = [n for n in ("name", "source", "source_hash") if kind is RepoProfile and not out.get(n)]
    if missing:
        raise ProfileError(f"{where}: `{missing[0]}` is missing")
    return out


def _said(kind: str) -> str:
    said = {"str": "string", "bool": "true or false", "float": "number", "tuple[str, ...]": "list of strings"}
    return said.get(kind, "table of strings")


def render(profile: RepoProfile) -> str:
    """The profile as TOML; fields at their default are left out."""
    lines = []
    tables = []
    for field in fields(RepoProfile):
        value = getattr(profile, field.name)
        if field.name == "test":
            continue
        if isinstance(value, dict):
            tables += _table(field.name, value)
        elif value not in ("", (), False):
            lines.append(f"{field.name} = {_value(value)}")
    lines += ["", "[test]"]
    for field in fields(TestSetup):
        value = getattr(profile.test, field.name)
        if isinstance(value, dict):
            tables += _table(f"test.{field.name}", value)
        elif value != ():
            lines.append(f"{field.name} = {_value(value)}")
    return "\n".join([*lines, *tables]) + "\n"


def _table(name: str, value: dict[str, str]) -> list[str]:
    return ["", f"[{name}]", *(f"{_value(k)} = {_value(v)}" for k, v in value.items())] if value else []


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        inner = [_value(v) for v in value]
        flat = f"[{', '.join(inner)}]"
        return flat if len(flat) <= 100 else "[\n" + "".join(f"    {v},\n" for v in inner) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
