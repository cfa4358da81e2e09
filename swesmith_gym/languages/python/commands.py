"""Commands that were found by trying, turned into a profile: what only installs distributions becomes requirements,
which the lock then holds; all else stays a command.

The commands are data here: taken apart as words, never run.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.requirements import Requirement

from swesmith_gym.errors import InputError
from swesmith_gym.languages.python import detect
from swesmith_gym.languages.python.project import suite
from swesmith_gym.languages.python.project.files import Project
from swesmith_gym.languages.python.project.known import normal
from swesmith_gym.languages.python.project.needs import parse
from swesmith_gym.languages.python.testing.report import FIXED_ENV
from swesmith_gym.records import RepoProfile, TestSetup

_INSTALLERS = (
    ("uv", "pip", "install"),
    ("pip", "install"),
    ("pip3", "install"),
    ("python", "-m", "pip", "install"),
    ("python3", "-m", "pip", "install"),
)
_OF_NO_EFFECT = frozenset({"-q", "--quiet", "-U", "--upgrade", "--no-cache", "--no-cache-dir", "--no-progress"})
"""Options that change nothing of what is installed into an environment that is empty."""
_TREE = re.compile(r"(?:\./?|/testbed/?|file:///testbed/?)(?:\[([\w,.\s-]+)\])?")
_EXPORT = re.compile(r"export(?:[ \t]+[A-Za-z_]\w*=[^\n;&|<>`]*)+")
_ALONE = re.compile(r"(?!(?:cd|pushd|popd|set|exec|exit|source|\.|eval|trap|unset)\s)[^\n;&|<>()#`]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_OURS = re.compile(r"PATH|HOME|VIRTUAL_ENV|LD_.*|PYTHONHOME|PYTHONSTARTUP|PYTHONPLATLIBDIR|PYTEST_.*")
"""Variables that decide which runner runs, and what it loads."""
_OPERATOR = re.compile(r"[();<>|&]+")


@dataclass
class _Wanted:
    """What one command, or all of them, install from the index."""

    requirements: list[str] = field(default_factory=list)
    tree: bool = False
    """The tree is among it."""
    extras: set[str] = field(default_factory=set)
    """Of the tree."""

    def add(self, other: _Wanted) -> None:
        """Take over what another one installs."""
        self.requirements += other.requirements
        self.tree |= other.tree
        self.extras |= other.extras


def profile(
    tree: Path,
    *,
    interpreter: str,
    install: Sequence[str],
    test_command: str,
    env: Mapping[str, str],
    version: str,
    locked: bool,
) -> RepoProfile:
    """See `Language.from_commands`. Raises: InputError."""
    project = Project(tree)
    for command in install:
        _check_editable(command)
    wanted, lines = _taken_apart(project, install) if locked else (_Wanted(), [_on_its_own(c) for c in install])
    requirements = wanted.requirements
    if wanted.tree:
        own = [detect.own(project.name or "project", sorted(wanted.extras)), *detect.build_requirements(project)]
        requirements, lines = [*own, *requirements], [*detect.exports(project, version), *lines]
    if not any(normal(Requirement(r).name) == "pytest" for r in requirements):
        requirements = [*requirements, "pytest"]
    return RepoProfile(
        name="",
        source="",
        source_hash="",
        language="python",
        interpreter=interpreter,
        requirements=tuple(dict.fromkeys(requirements)),
        install=tuple(lines),
        test=_setup(project, interpreter, test_command, env),
        license=project.license,
    )


def _setup(project: Project, interpreter: str, command: str, env: Mapping[str, str]) -> TestSetup:
    for name in env:
        if not _VARIABLE.fullmatch(name):
            raise InputError(f"not the name of a variable: {name!r}")
        if name in FIXED_ENV or _OURS.fullmatch(name):
            raise InputError(f"the variable {name} is the runner's own: leave it out of `env`")
    if not command.strip():
        raise InputError("the test command is empty; write a pytest command, e.g. `pytest tests`")
    return replace(suite.setup(project, interpreter, command), env=dict(env))


def _taken_apart(project: Project, install: Sequence[str]) -> tuple[_Wanted, list[str]]:
    """What the commands install from the index, and what is left to be run."""
    wanted, lines = _Wanted(), []
    for command in install:
        found = _installed(project, command)
        if found is None:
            lines.append(_on_its_own(command))
            continue
        wanted.add(found)
        if found.tree and detect.INSTALL not in lines:
            lines.append(detect.INSTALL)
    return wanted, lines


def _installed(project: Project, command: str) -> _Wanted | None:
    """What a command installs from the index; None where it does anything else besides."""
    wanted = _Wanted()
    for words in _plain(command) or [[]]:
        arguments = _arguments(words)
        found = None if arguments is None else _read(project, arguments)
        if found is None:
            return None
        wanted.add(found)
    return wanted


def _plain(command: str) -> list[list[str]] | None:
    """The words of commands that are joined by `&&` and nothing else; None for any other shell code."""
    if re.search(r"[\n`$]", command):
        return None
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    parts: list[list[str]] = [[]]
    try:
        for word in lexer:
            if word == "&&":
                parts.append([])
            elif _OPERATOR.fullmatch(word):
                return None
            else:
                parts[-1].append(word)
    except ValueError:
        return None
    return parts


def _arguments(words: list[str]) -> list[str] | None:
    """What follows `pip install`, options of no effect aside; None for another command."""
    for start in _INSTALLERS:
        if tuple(words[: len(start)]) == start:
            return [word for word in words[len(start) :] if word not in _OF_NO_EFFECT]
    return None


def _read(project: Project, arguments: list[str]) -> _Wanted | None:
    """Requirements, files of them, and the tree itself as editable. None: something else is there, or nothing."""
    wanted = _Wanted()
    words = iter(arguments)
    for word in words:
        if word in ("-e", "--editable"):
            own = _TREE.fullmatch(next(words, ""))
            if own is None:
                return None
            wanted.tree = True
            wanted.extras |= {name.strip() for name in (own[1] or "").split(",")} - {""}
        elif word in ("-r", "--requirement"):
            lines = list(_lines(project, next(words, "")))
            if not lines or not all(map(parse, lines)):
                return None
            wanted.requirements += [str(parse(line)) for line in lines]
        elif word == "--no-build-isolation" and "-e" in arguments and len(arguments) == 3:
            continue
        elif not word.startswith("-") and (requirement := parse(word)):
            wanted.requirements.append(str(requirement))
        else:
            return None
    return wanted if wanted.tree or wanted.requirements else None


def _lines(project: Project, path: str) -> Iterator[str]:
    """Lines of a requirements file of the tree, without comments."""
    inside = path.removeprefix("/testbed/")
    if inside.startswith("/") or ".." in inside.split("/"):
        return
    for raw in project.text(inside).splitlines():
        if line := re.split(r"(?:^|\s)#", raw, maxsplit=1)[0].strip():
            yield line


def _check_editable(command: str) -> None:
    """Tests have to run on the work tree, not on a copy of it. Raises: InputError."""
    for words in _plain(command) or []:
        if words[:2] in (["python", "setup.py"], ["python3", "setup.py"]) and "install" in words:
            raise InputError(_COPIES.format(command))
        arguments = _arguments(words) or []
        for before, word in zip(["", *arguments], arguments, strict=False):
            if _TREE.fullmatch(word) and before not in ("-e", "--editable", "-C", "-t", "--target"):
                raise InputError(_COPIES.format(command))


_COPIES = (
    "`{}` installs a copy of the repository, so that tests would not run on /testbed: install it with "
    "`uv pip install --editable .`"
)


def _on_its_own(command: str) -> str:
    """The command so that it ends in the folder that it began in and fails as a whole; exports are for all others."""
    command = command.strip()
    if _ALONE.fullmatch(command) or (_EXPORT.fullmatch(command) and "$(" not in command):
        return command
    return f"(\n{command}\n)"
