"""The configuration file of `swesmith-gym run`: read and checked before anything is made."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from swesmith_gym.bugs.registry import check_name as check_strategy
from swesmith_gym.errors import InputError
from swesmith_gym.harness.grade import Grading
from swesmith_gym.issues import check_mode


@dataclass(frozen=True, slots=True)
class SynthesisConfig:
    """A configuration file: what is made, from what, and under which seed."""

    repos: tuple[str, ...]
    """Names of profiles."""
    created_at: str
    """Time stamp of every task, ISO 8601: equal configurations give equal bytes."""
    strategies: tuple[str, ...] = ("procedural",)
    """In this order: those that combine bugs combine what the ones before them have given."""
    limit: int = 100
    """Candidates for each repository and strategy, at most."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """Strategy -> its own limit."""
    releases: Mapping[str, str] = field(default_factory=dict)
    """Repository -> two of its releases, `1.0..1.1`, for `pr_mirror`; without the second, its own. It mirrors no other
    repository."""
    seed: int = 0
    issues: str = "tests"
    """Mode of the problem statements."""
    rounds: int = 1
    """How often gold and nop are graded on every task."""
    grading: str = "full"
    """How they are graded: `full` or `impacted`."""
    warm: bool = False
    """They are run in forks of runners that stay; else in fresh sandboxes, as any submission is."""

    def limit_of(self, strategy: str) -> int:
        """Candidates of one strategy for each repository, at most."""
        return self.limits.get(strategy, self.limit)


_KINDS: dict[str, tuple[type, str]] = {
    "str": (str, "a text"),
    "int": (int, "a whole number"),
    "bool": (bool, "true or false"),
    "Mapping[str, int]": (dict, "a table of whole numbers, such as { lm_rewrite = 40 }"),
    "Mapping[str, str]": (dict, "a table of texts, such as { tinydb = '4.1.0..' }"),
}
"""Type of a field -> what TOML gives for it, and how that is called; any other is a list."""


def read_config(path: Path) -> SynthesisConfig:
    """Read a TOML file. Raises: InputError (file, field)."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; see `swesmith-gym run --help` for what it holds")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not TOML ({error})") from error
    try:
        _check(data)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in data.items()}
    return SynthesisConfig(**values)


def _check(data: Mapping[str, Any]) -> None:
    kinds = {f.name: str(f.type) for f in fields(SynthesisConfig)}
    for name, value in data.items():
        if name not in kinds:
            raise InputError(f"unknown field {name!r}; known are {', '.join(kinds)}")
        kind, wanted = _KINDS.get(kinds[name], (list, "a list"))
        if not isinstance(value, kind):
            raise InputError(f"the field {name!r} must be {wanted}, not {value!r:.40}")
    for name in ("repos", "created_at"):
        if not data.get(name):
            raise InputError(f"the field {name!r} is missing")
    for name in ("repos", "strategies"):
        if not all(isinstance(each, str) for each in data.get(name, [])):
            raise InputError(f"the field {name!r} must be a list of names")
    for name in ("limit", "rounds"):
        _check_count(f"the field {name!r}", data.get(name, 1))
    for name, value in data.get("limits", {}).items():
        _check_count(f"the limit of {name!r}", value)
    for name, value in data.get("releases", {}).items():
        if not isinstance(value, str) or value.count("..") != 1 or value.startswith(".."):
            raise InputError(f"the releases of {name!r} must be two with `..` between, such as '1.0..1.1'")
    for name in (*data.get("strategies", ()), *data.get("limits", {})):
        check_strategy(name)
    try:
        datetime.fromisoformat(data["created_at"])
    except ValueError as error:
        raise InputError(f"the field 'created_at' is not ISO 8601 ({error})") from error
    check_mode(data.get("issues", "tests"))
    if data.get("grading", "full") not in get_args(Grading):
        raise InputError(f"the field 'grading' must be one of {', '.join(get_args(Grading))}")


def _check_count(what: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"{what} must be 1 or more")
