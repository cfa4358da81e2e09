"""The places where projects declare what their tests need, one function each, and what is made of all of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from swesmith_gym.languages.python.parsing import parse
from swesmith_gym.languages.python.project import tox
from swesmith_gym.languages.python.project.files import Project, lines, strings, table
from swesmith_gym.languages.python.project.known import DEV_NAMES, TEST_NAMES, normal
from swesmith_gym.languages.python.project.needs import Needs, extras_of, from_file, from_group, from_lines, from_poetry

Wanted = Callable[[str], bool]

_TEST_FILES = re.compile(
    r"(requirements/)?(tests?|testing|unit-?tests?)\.(txt|in)|(requirements/)?requirements[-_.]?(tests?|testing)\.(txt|in)"
    r"|(requirements/)?(tests?|testing)[-_.]?(requirements|requires|reqs|deps)\.(txt|in)"
    r"|(tests?|testing)/requirements([-_.]tests?)?\.(txt|in)"
)
_DEV_FILES = re.compile(
    r"(requirements/)?(dev|develop|development)\.(txt|in)|(requirements/)?requirements[-_.]?(dev|develop|development)\.(txt|in)"
    r"|(requirements/)?(dev|development)[-_.]?requirements\.(txt|in)"
)


def test_needs(project: Project, python: str) -> Needs:
    """What the tests need by the project's own word: all that is named for tests, else all that is for development."""
    needs = _collect(project, lambda name: bool(TEST_NAMES.fullmatch(normal(name))), _TEST_FILES)
    needs.add(tox.needs(project, python))
    if not needs:
        needs = _collect(project, lambda name: bool(DEV_NAMES.fullmatch(normal(name))), _DEV_FILES)
    return needs


def _collect(project: Project, wanted: Wanted, files: re.Pattern[str]) -> Needs:
    needs = from_lines(project, [f".[{extra}]" for extra in extras_of(project) if wanted(extra)])
    for place in (_groups, _pdm, _poetry, _hatch, _nox, _setup):
        for found in place(project, wanted):
            needs.add(found)
    for path in _requirement_files(project, files):
        needs.add(from_file(project, path))
    return needs


def _groups(project: Project, wanted: Wanted) -> Iterator[Needs]:
    for name in table(project.pyproject, "dependency-groups"):
        if wanted(name):
            yield from_group(project, name)


def _pdm(project: Project, wanted: Wanted) -> Iterator[Needs]:
    for name, group in table(project.pyproject, "tool", "pdm", "dev-dependencies").items():
        if wanted(name):
            yield from_lines(project, strings(group))
    if wanted("dev"):
        yield from_lines(project, strings(table(project.pyproject, "tool", "uv").get("dev-dependencies")))


def _poetry(project: Project, wanted: Wanted) -> Iterator[Needs]:
    poetry = table(project.pyproject, "tool", "poetry")
    for name, group in table(poetry, "group").items():
        if wanted(name):
            yield from_poetry(table(group, "dependencies"))
    if wanted("dev"):
        yield from_poetry(table(poetry, "dev-dependencies"))


def _hatch(project: Project, wanted: Wanted) -> Iterator[Needs]:
    for name, env in table(project.pyproject, "tool", "hatch", "envs").items():
        if wanted(name) or (name == "default" and wanted("test")) or (name == "hatch-test" and wanted("test")):
            for key in ("dependencies", "extra-dependencies"):
                yield from_lines(project, strings(table(env).get(key)))
            yield from_lines(project, [f".[{name}]" for name in strings(table(env).get("features"))])


def _nox(project: Project, wanted: Wanted) -> Iterator[Needs]:
    try:
        module = parse(project.text("noxfile.py"))
    except SyntaxError:
        return
    for function in module.body:
        if isinstance(function, ast.FunctionDef) and (wanted(function.name) or wanted(function.name.split("_")[0])):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "install":
                    words = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                    yield from_lines(project, _joined(words))


def _joined(words: list[str]) -> list[str]:
    """Words of a command as lines: an option and its value on one."""
    out: list[str] = []
    for word in words:
        if out and out[-1] in ("-r", "-e", "-c", "--requirement", "--editable", "--constraint"):
            out[-1] += f" {word}"
        else:
            out.append(word)
    return out


def _setup(project: Project, wanted: Wanted) -> Iterator[Needs]:
    if wanted("test"):
        yield from_lines(project, lines(project.setup_cfg.get("options", {}).get("tests_require", "")))
        declared = project.setup_py.get("tests_require", [])
        yield from_lines(project, [declared] if isinstance(declared, str) else strings(declared))


def _requirement_files(project: Project, names: re.Pattern[str]) -> list[str]:
    found = []
    for folder in ("", "requirements", "test", "tests", "testing"):
        here = project.root / folder
        if here.is_dir() and not here.is_symlink():
            found += [f"{folder}/{p.name}".lstrip("/") for p in sorted(here.iterdir()) if p.suffix in (".txt", ".in")]
    matching = [path for path in found if names.fullmatch(path)]
    return [path for path in matching if not (path.endswith(".in") and path.removesuffix(".in") + ".txt" in matching)]
