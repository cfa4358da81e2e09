"""tox configurations, INI and TOML: the requirements and the test command of the environment that runs the tests."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from swesmith_gym.languages.python.project.files import Project, lines, strings, table
from swesmith_gym.languages.python.project.known import TEST_NAMES, normal
from swesmith_gym.languages.python.project.needs import Needs, from_extra, from_group, from_lines

_FACTORS = re.compile(r"([!\w.,{}-]+)\s*:\s+(\S.*)|([!A-Za-z][\w.,!-]*):(?!/)(\S.*)")
_PYTHON = re.compile(r"(?:py|python|cpython)?(\d)\.?(\d+)?|py|python")


def needs(project: Project, python: str) -> Needs:
    """Requirements of the environments that test under `python` (`3.11`)."""
    found = Needs()
    for env in _ini_envs(project, python):
        deps = [rest for line in lines(env.get("deps", "")) for rest in _applicable(project, line, python)]
        found.add(from_lines(project, deps))
        for key, separator in (("extras", r"[\s,]+"), ("dependency_groups", r"[\s,]+")):
            rests = [r for line in lines(env.get(key, "")) for r in _applicable(project, line, python)]
            names = [n for rest in rests for n in re.split(separator, rest) if n and "{" not in n]
            for name in names:
                found.add(from_extra(project, name) if key == "extras" else from_group(project, name))
    for native in _toml_envs(project):
        found.add(from_lines(project, strings(native.get("deps"))))
        for name in strings(native.get("extras")):
            found.add(from_extra(project, name))
        for name in strings(native.get("dependency_groups")):
            found.add(from_group(project, name))
    return found


def command(project: Project, python: str) -> list[str]:
    """Words of the first pytest command; empty where there is none. Substitutions are left out."""
    for env in _ini_envs(project, python):
        text = env.get("commands", "").replace("\\\n", " ")
        for line in lines(text):
            for rest in _applicable(project, line, python):
                if words := _pytest_words(rest):
                    return words
    for native in _toml_envs(project):
        commands = native.get("commands")
        for each in commands if isinstance(commands, list) else []:
            if words := _pytest_words(shlex.join(strings(each))):
                return words
    return []


def _pytest_words(line: str) -> list[str]:
    plain = re.sub(r"\{posargs:([^{}]*)\}", r"\1", line)
    plain = re.sub(r"\{(toxinidir|tox_root)\}[/\\]?", "", plain)
    try:
        words = shlex.split(plain)
    except ValueError:
        return []
    for place, word in enumerate(words):
        if word in ("pytest", "py.test"):
            return [w for w in words[place + 1 :] if "{" not in w and "}" not in w]
    return []


def _ini_envs(project: Project, python: str) -> Iterator[dict[str, str]]:
    for section, values in project.tox_ini.items():
        kind, _, names = section.partition(":")
        if kind == "testenv" and (not names or any(_tests(name, python) for name in expand(names))):
            yield values


def _toml_envs(project: Project) -> Iterator[dict[str, object]]:
    config = project.tox_toml
    yield table(config, "env_run_base")
    for name, env in table(config, "env").items():
        if TEST_NAMES.fullmatch(normal(name)) and isinstance(env, dict):
            yield env


def _tests(name: str, python: str) -> bool:
    """An environment of this name runs the tests under `python`: each factor is that version or a word for tests."""
    return all(_fits(factor, python) for factor in name.strip().split("-"))


def _fits(factor: str, python: str) -> bool:
    match = _PYTHON.fullmatch(factor)
    if not match:
        return bool(TEST_NAMES.fullmatch(normal(factor))) or factor == "unit"
    major, minor = match.groups()
    return major is None or (major == "3" and minor in (None, python.removeprefix("3.")))


def _applicable(project: Project, line: str, python: str, depth: int = 0) -> list[str]:
    """A line without its factor condition, references followed; nothing where it does not apply or cannot be read."""
    if match := re.fullmatch(r"\{\[(.+?)\](\w+)\}", line):
        text = project.tox_ini.get(match.group(1), {}).get(match.group(2), "") if depth < 3 else ""
        return [rest for each in lines(text) for rest in _applicable(project, each, python, depth + 1)]
    match = _FACTORS.fullmatch(line)
    if not match:
        return [line]
    condition, rest = (match.group(1), match.group(2)) if match.group(1) else (match.group(3), match.group(4))
    alternatives = [a for a in expand(condition) if a]
    applies = any(
        all(not _fits(f[1:], python) if f.startswith("!") else _fits(f, python) for f in alternative.split("-"))
        for alternative in alternatives
    )
    return [rest] if applies else []


def expand(names: str) -> list[str]:
    """`py{310,311}-x, docs` -> `py310-x`, `py311-x`, `docs`."""
    outer = re.split(r"[,\n](?![^{}]*\})", names)
    return [one for name in outer if name.strip() for one in _alternatives(name.strip())]


def _alternatives(name: str) -> list[str]:
    match = re.search(r"\{([^{}]*)\}", name)
    if not match:
        return [name]
    before, after = name[: match.start()], name[match.end() :]
    return [one for each in match.group(1).split(",") for one in _alternatives(f"{before}{each.strip()}{after}")]
