"""A project's declaration files, parsed: pyproject.toml, setup.cfg, setup.py (as syntax), tox, PKG-INFO.

A file that does not parse counts as absent: other files may still say enough.
"""

from __future__ import annotations

import ast
import configparser
import email
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from swesmith_gym.languages.python.parsing import parse
from swesmith_gym.languages.python.project.known import normal

MAX_FILE = 4 << 20
Table = dict[str, Any]


@dataclass(frozen=True)
class Project:
    """One project's tree. Files are read on first use."""

    root: Path

    def text(self, path: str) -> str:
        """Content of a file of the tree; empty where there is none (or no such regular file, or it is huge)."""
        file = self.root / path
        if file.is_symlink() or not file.is_file() or file.stat().st_size > MAX_FILE:
            return ""
        return file.read_text(encoding="utf-8", errors="replace")

    @cached_property
    def pyproject(self) -> Table:
        """pyproject.toml."""
        return _toml(self.text("pyproject.toml"))

    @cached_property
    def project(self) -> Table:
        """Its `[project]` table."""
        return table(self.pyproject, "project")

    @cached_property
    def setup_cfg(self) -> dict[str, dict[str, str]]:
        """setup.cfg: section -> key -> value."""
        return ini(self.text("setup.cfg"))

    @cached_property
    def setup_py(self) -> Table:
        """Literal keyword arguments of the `setup(...)` call in setup.py."""
        return _setup_call(self.text("setup.py"))

    @cached_property
    def tox_ini(self) -> dict[str, dict[str, str]]:
        """tox.ini, or the same inside pyproject.toml or setup.cfg."""
        legacy = table(self.pyproject, "tool", "tox").get("legacy_tox_ini", "")
        return ini(self.text("tox.ini")) or ini(legacy if isinstance(legacy, str) else "")

    @cached_property
    def tox_toml(self) -> Table:
        """tox.toml, or `[tool.tox]`."""
        return _toml(self.text("tox.toml")) or table(self.pyproject, "tool", "tox")

    @cached_property
    def info(self) -> email.message.Message:
        """PKG-INFO of an sdist."""
        return email.message_from_string(self.text("PKG-INFO"))

    @cached_property
    def name(self) -> str:
        """The distribution's name; empty where nothing says it."""
        poetry = table(self.pyproject, "tool", "poetry")
        metadata = self.setup_cfg.get("metadata", {})
        for found in (self.project.get("name"), poetry.get("name"), metadata.get("name"), self.setup_py.get("name")):
            if isinstance(found, str) and found:
                return found
        return str(self.info.get("Name", ""))

    @cached_property
    def version(self) -> str:
        """The version that an sdist was made as; empty for any other tree."""
        return str(self.info.get("Version", ""))

    @cached_property
    def requires_python(self) -> str:
        """Specifiers of Python versions; empty: any."""
        options = self.setup_cfg.get("options", {})
        poetry = table(self.pyproject, "tool", "poetry", "dependencies").get("python")
        said = (
            self.project.get("requires-python"),
            options.get("python_requires"),
            self.setup_py.get("python_requires"),
        )
        for found in (*said, self.info.get("Requires-Python"), poetry):
            if isinstance(found, str) and found:
                return caret(found)
        return ""

    @cached_property
    def classifiers(self) -> list[str]:
        """Trove classifiers."""
        listed = strings(self.project.get("classifiers")) or strings(self.setup_py.get("classifiers"))
        return (
            listed
            or lines(self.setup_cfg.get("metadata", {}).get("classifiers", ""))
            or self.info.get_all("Classifier", [])
        )

    @cached_property
    def license(self) -> str:
        """SPDX expression, or the licence's name, in one line; empty where nothing says it."""
        declared = self.project.get("license")
        candidates = [
            declared if isinstance(declared, str) else "",
            str(self.info.get("License-Expression", "")),
            str(table(self.pyproject, "tool", "poetry").get("license", "")),
            *(c.rsplit(" :: ", 1)[-1] for c in self.classifiers if c.startswith("License :: ")),
            str(self.setup_py.get("license", "")),
            self.setup_cfg.get("metadata", {}).get("license", ""),
            declared.get("text", "") if isinstance(declared, dict) else "",
            str(self.info.get("License", "")),
        ]
        return next((c.strip().splitlines()[0][:100] for c in candidates if c.strip()), "")

    @cached_property
    def build_system(self) -> Table:
        """`[build-system]` with the defaults of PEP 517."""
        declared = table(self.pyproject, "build-system")
        legacy = {"requires": ["setuptools", "wheel"], "build-backend": "setuptools.build_meta"}
        return {**legacy, **declared} if declared else legacy

    @cached_property
    def installable(self) -> bool:
        """There is something to install."""
        return bool(table(self.pyproject, "build-system") or self.project) or any(
            (self.root / name).is_file() for name in ("setup.py", "setup.cfg")
        )


def table(data: Any, *keys: str) -> Table:
    """A nested table; empty where one of the keys is missing or is no table."""
    for key in keys:
        data = data.get(key, {}) if isinstance(data, dict) else {}
    return data if isinstance(data, dict) else {}


def strings(value: Any) -> list[str]:
    """The strings of a list or tuple; nothing of anything else."""
    return [v for v in value if isinstance(v, str)] if isinstance(value, (list, tuple)) else []


def named(data: Table) -> Table:
    """The same table under normal names."""
    return {normal(key): value for key, value in data.items()}


def lines(text: str) -> list[str]:
    """Lines that say something."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith(("#", ";"))]


def ini(text: str) -> dict[str, dict[str, str]]:
    """Sections of an INI file."""
    parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=None)
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    return {section: dict(parser.items(section)) for section in parser.sections()}


def caret(specifier: str) -> str:
    """Poetry's `^1.2` and `~1.2` as PEP 440 specifiers; `*` as none."""

    def bounds(match: re.Match[str]) -> str:
        sign, version = match.groups()
        parts = [int(p) for p in version.split(".")]
        place = 0 if sign == "^" else min(1, len(parts) - 1)
        if sign == "^":
            place = next((i for i, p in enumerate(parts) if p), len(parts) - 1)
        upper = [*parts[:place], parts[place] + 1]
        return f">={version},<{'.'.join(map(str, upper))}"

    plain = re.sub(r"(\^|~(?!=))\s*(\d+(?:\.\d+)*)", bounds, specifier.strip())
    return "" if plain == "*" else f"=={plain}" if re.fullmatch(r"\d[\w.*]*", plain) else plain


def _toml(text: str) -> Table:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _setup_call(text: str) -> Table:
    try:
        module = parse(text)
    except SyntaxError:
        return {}
    names = {
        target.id: node.value
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "setup":
            return {k.arg: value for k in node.keywords if k.arg and (value := literal(k.value, names)) is not None}
    return {}


def literal(node: ast.expr, names: dict[str, ast.expr], depth: int = 0) -> Any:
    """Value of a literal expression, names of literals and sums of lists included; what is no literal is left out."""
    again = depth + 1
    if depth > 20:
        return None
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return literal(names[node.id], names, again) if node.id in names else None
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return [v for e in node.elts if (v := literal(e, names, again)) is not None]
    if isinstance(node, ast.Dict):
        pairs = ((k, v) for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant))
        return {k.value: value for k, v in pairs if (value := literal(v, names, again)) is not None}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [s for s in (literal(node.left, names, again), literal(node.right, names, again)) if s is not None]
        return (
            [*sides[0], *sides[1]]
            if len(sides) == 2 and all(isinstance(s, list) for s in sides)
            else next(iter(sides), None)
        )
    return None
