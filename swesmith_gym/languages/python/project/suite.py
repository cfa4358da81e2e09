"""Where a project's tests are and how they are run: pytest's configuration, test folders, the test command."""

from __future__ import annotations

import ast
import fnmatch
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from swesmith_gym.errors import InputError, ProfileError
from swesmith_gym.languages.python.parsing import parse
from swesmith_gym.languages.python.project import tox
from swesmith_gym.languages.python.project.files import Project, ini, strings, table
from swesmith_gym.languages.python.project.known import IGNORED_OPTIONS, OPTIONS_WITH_VALUE
from swesmith_gym.records import TestSetup

MOST_FILES = 200
FOLDERS = ("tests", "test", "testing", "unit_tests", "unittests", "testsuite")
_OUTSIDE = frozenset({"docs", "doc", "examples", "example", "benchmarks", "benchmark", "build", "dist", "node_modules"})
_KEPT = re.compile(
    r"(-m|-k|-W|-p|-o|--ignore|--ignore-glob|--deselect|--import-mode|--pythonwarnings|--override-ini)(=.*)?|-W.+|-p.+"
)
_NOT_PLUGINS = re.compile(r"-?(p\s*)?(xdist|cov|pytest_cov|randomly)")


@dataclass(frozen=True, slots=True)
class Config:
    """pytest's configuration as far as detection needs it."""

    addopts: tuple[str, ...] = ()
    testpaths: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ("test_*.py", "*_test.py")


def setup(project: Project, python: str, command: str = "") -> TestSetup:
    """How the tests are run. `command`: a pytest command of the user's. Raises: InputError, ProfileError (no tests)."""
    config = read_config(project)
    _, ignored = split_options(config.addopts)
    if command:
        args, paths = _positional(project, _words(command))
        return TestSetup(args=tuple(split_options(args)[0]), paths=tuple(paths), ignored_args=tuple(ignored))
    kept, tox_paths = _positional(project, tox.command(project, python))
    kept = [o for o in _pairs(split_options(kept)[0]) if _KEPT.fullmatch(o.split("\0")[0])]
    args = [word for option in kept for word in option.split("\0")]
    paths = find(project, config, [p for p in tox_paths if _has_tests(project.root / p, config)])
    return TestSetup(args=tuple(args), paths=tuple(paths), ignored_args=tuple(ignored))


def read_config(project: Project) -> Config:
    """The first configuration that pytest itself would find in the project's root."""
    for name in ("pytest.ini", ".pytest.ini"):
        if (project.root / name).is_file():
            return _config(dict(ini(project.text(name)).get("pytest", {})))
    pytest = table(project.pyproject, "tool", "pytest")
    native = {key: value for key, value in pytest.items() if key != "ini_options"}
    for found in (
        table(pytest, "ini_options"),
        native,
        project.tox_ini.get("pytest"),
        project.setup_cfg.get("tool:pytest"),
    ):
        if found:
            return _config(dict(found))
    return Config()


def _config(values: dict[str, object]) -> Config:
    def words(key: str) -> tuple[str, ...]:
        value = values.get(key)
        if isinstance(value, str):
            try:
                return tuple(shlex.split(value, comments=True))
            except ValueError:
                return tuple(value.split())
        return tuple(strings(value))

    return Config(words("addopts"), words("testpaths"), words("python_files") or Config().patterns)


def split_options(words: list[str] | tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Options to keep and options to ignore, each with its value, in order."""
    kept: list[str] = []
    ignored: list[str] = []
    for option in _pairs(words):
        name, _, value = option.partition("\0")
        ignore = IGNORED_OPTIONS.fullmatch(name) or (name == "-p" and _NOT_PLUGINS.fullmatch(value))
        (ignored if ignore else kept).extend(option.split("\0"))
    return kept, ignored


def _pairs(words: list[str] | tuple[str, ...]) -> list[str]:
    """Options, an option and the word that is its value joined by a NUL."""
    out: list[str] = []
    for word in words:
        if out and out[-1] in OPTIONS_WITH_VALUE and not word.startswith("-"):
            out[-1] += f"\0{word}"
        else:
            out.append(word)
    return out


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InputError(f"the test command cannot be read: {error}: {command!r}") from error
    plain = [w.rsplit("/", 1)[-1] for w in words]
    for start in (["pytest"], ["py.test"], ["python", "-m", "pytest"], ["python3", "-m", "pytest"]):
        if plain[: len(start)] == start:
            return words[len(start) :]
    raise InputError(f"the test command must be a pytest command, e.g. `pytest tests`: {command!r}")


def _positional(project: Project, words: list[str]) -> tuple[list[str], list[str]]:
    """Options, and those other words that are paths of the tree."""
    options, paths = [], []
    for option in _pairs(words):
        if option.startswith("-"):
            options += option.split("\0")
        elif not option.startswith("/") and ".." not in option.split("/") and (project.root / option).exists():
            paths.append(option.rstrip("/"))
    return options, paths


def find(project: Project, config: Config, commanded: list[str]) -> list[str]:
    """Files and folders to collect from: as configured, as the test command says, else where tests usually are.

    Raises: ProfileError (there are none).
    """
    root = project.root
    for pattern in config.testpaths:
        if pattern in (".", "./"):
            break
        paths = [p for p in sorted(root.glob(pattern.rstrip("/"))) if p.name not in _OUTSIDE and _has_tests(p, config)]
        commanded = [*commanded, *(p.relative_to(root).as_posix() for p in paths)] if paths else commanded
    if commanded:
        return list(dict.fromkeys(commanded))
    top = [name for name in FOLDERS if _has_tests(root / name, config)]
    inner = [] if top else [p.relative_to(root).as_posix() for p in _inner(root, config, 0)]
    loose = [] if top or inner else sorted(p.name for p in root.iterdir() if p.is_file() and _matches(p.name, config))
    found = top or inner or loose or _by_content(root)
    if not found:
        raise ProfileError(
            f"no tests found (looked for {', '.join(config.patterns)} in {', '.join(FOLDERS[:3])} and in packages); an "
            " sdist may leave them out: try the project's git URL, or say --test-command",
            step="detect",
        )
    return found


def _inner(folder: Path, config: Config, depth: int) -> Iterator[Path]:
    """Test folders inside packages, outermost only."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not path.is_dir() or path.name.startswith(".") or path.name in _OUTSIDE:
            continue
        if path.name in FOLDERS and _has_tests(path, config):
            yield path
        elif depth < 4:
            yield from _inner(path, config, depth + 1)


def _by_content(root: Path) -> list[str]:
    """Files that say `test` in their name or folder, however written, and hold tests. pytest collects what is named."""
    found = []
    for path in sorted(root.glob("**/*.py")):
        inside = path.relative_to(root)
        named = [path.stem, *(part for part in inside.parts[:-1] if part in FOLDERS)]
        outside = _OUTSIDE.intersection(inside.parts) or any(part.startswith(".") for part in inside.parts)
        if (
            not outside
            and not path.is_symlink()
            and any("test" in each.lower() for each in named)
            and _holds_tests(path)
        ):
            found.append(inside.as_posix())
    return found[:MOST_FILES]


def _holds_tests(path: Path) -> bool:
    """Functions, or methods of classes that pytest may collect, whose name says that they are tests."""
    try:
        body = parse(path.read_bytes()).body
    except SyntaxError:
        return False
    classes = [each for each in body if isinstance(each, ast.ClassDef) and (each.bases or each.name.startswith("Test"))]
    inner = [each for node in classes for each in node.body]
    return any(isinstance(node, ast.FunctionDef) and node.name.startswith("test") for node in (*body, *inner))


def _matches(name: str, config: Config) -> bool:
    return any(fnmatch.fnmatch(name, pattern.rsplit("/", 1)[-1]) for pattern in config.patterns)


def _has_tests(path: Path, config: Config) -> bool:
    return next(test_files(path, config), None) is not None


def test_files(path: Path, config: Config) -> Iterator[Path]:
    """Files below `path` (or itself) that pytest would collect."""
    if path.is_symlink():
        return
    if path.is_file():
        if path.suffix == ".py" and (_matches(path.name, config) or path.parent.name in FOLDERS):
            yield path
    elif path.is_dir():
        for each in sorted(path.iterdir()):
            if not each.is_symlink() and (each.is_dir() or _matches(each.name, config)):
                yield from test_files(each, config)


def imports(project: Project, paths: tuple[str, ...]) -> set[str]:
    """Top-level modules that test files import without a guard, neither the standard library's nor the tree's own."""
    given = [project.root / path for path in (*paths, "conftest.py")]
    files = [f for path in given for f in (path, *path.rglob("*.py")) if f.suffix == ".py"]
    files = [f for f in files if not f.is_symlink() and f.is_file()]
    config = read_config(project)
    tests = [f for f in files if f in given or f.name in ("conftest.py", "__init__.py") or _matches(f.name, config)]
    names = {name for file in _with_helpers(tests, files) for name in _imports(file)}
    own = {p.stem for folder in ("", "src", *paths) for p in (project.root / folder).glob("*")} | {
        p.stem for p in files
    }
    return names - sys.stdlib_module_names - own - {"", "__future__", "__main__"}


def _with_helpers(tests: list[Path], files: list[Path]) -> list[Path]:
    """Test files, those of the others that they name anywhere, and so on; what nobody names is no part of a suite."""
    used, new = list(tests), tests
    while new:
        words = {word for file in new for word in re.findall(r"\w+", file.read_text("utf-8", errors="replace"))}
        new = [file for file in files if file not in used and file.stem in words]
        used += new
    return used


def _imports(file: Path) -> set[str]:
    try:
        body = parse(file.read_bytes()).body
    except SyntaxError:
        return set()
    names = set()
    for node in body:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.split(".")[0])
    return names
