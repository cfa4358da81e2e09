"""Detection for Python: from a tree's own files to a profile. Reads, parses, guesses; executes nothing.

The first requirement of a profile is always the tree itself, `NAME[EXTRAS] @ file:///testbed`: so its run-time
dependencies, dynamic ones too, are resolved together with what its build and its tests need.
"""

from __future__ import annotations

import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from swesmith_gym.errors import InputError, ProfileError
from swesmith_gym.languages.python.project import suite
from swesmith_gym.languages.python.project.files import Project, strings
from swesmith_gym.languages.python.project.known import BACKEND_EXTRAS, DISTRIBUTIONS, is_tool, normal
from swesmith_gym.languages.python.project.needs import Needs, extras_of, parse
from swesmith_gym.languages.python.project.sources import test_needs
from swesmith_gym.records import RepoProfile

PREFERRED = "3.11"
VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
INSTALL = "uv pip install --no-build-isolation --no-deps --editable ."
TREE = "file:///testbed"
_VERSION_TOOLS = {
    "setuptools-scm": "SETUPTOOLS_SCM_PRETEND_VERSION",
    "hatch-vcs": "SETUPTOOLS_SCM_PRETEND_VERSION",
    "vcs-versioning": "SETUPTOOLS_SCM_PRETEND_VERSION",
    "flit-scm": "SETUPTOOLS_SCM_PRETEND_VERSION",
    "pdm-backend": "PDM_BUILD_SCM_VERSION",
    "pbr": "PBR_VERSION",
    "poetry-dynamic-versioning": "POETRY_DYNAMIC_VERSIONING_BYPASS",
    "uv-dynamic-versioning": "UV_DYNAMIC_VERSIONING_BYPASS",
    "versioningit": "VERSIONINGIT_FOR_PACKAGE_VERSION",
    "dunamai": "UV_DYNAMIC_VERSIONING_BYPASS",
}


def detect(tree: Path, *, interpreter: str = "", version: str = "", test_command: str = "") -> RepoProfile:
    """A profile of what lies in `tree`, without name, source and hash.

    `interpreter`: `X.Y` to use instead of the best guess; `version`: the release, for trees that take it from
    git's history; `test_command`: a pytest command to use instead of the one found.
    Raises: ProfileError (nothing to install, no tests, interpreter outside what it supports), InputError.
    """
    project = Project(tree)
    if not project.installable:
        raise ProfileError("no pyproject.toml, setup.cfg or setup.py: nothing to install", step="detect")
    python = choose_python(project, interpreter)
    setup = suite.setup(project, python, test_command)
    return RepoProfile(
        name="",
        source="",
        source_hash="",
        language="python",
        interpreter=python,
        requirements=tuple(_requirements(project, python, suite.imports(project, setup.paths))),
        install=(*exports(project, version), INSTALL),
        test=setup,
        license=project.license,
    )


def choose_python(project: Project, wanted: str = "") -> str:
    """`wanted` if the project allows it; else 3.11 where it is declared, else the newest version that is.

    Raises: InputError (not a version), ProfileError (`step="interpreter"`: not allowed).
    """
    if wanted and not re.fullmatch(r"3\.\d+", wanted):
        raise InputError(f"not a Python version: {wanted!r}; write X.Y, e.g. 3.11")
    try:
        allowed = SpecifierSet(project.requires_python)
    except InvalidSpecifier:
        allowed = SpecifierSet()
    fitting = [v for v in VERSIONS if any(allowed.contains(f"{v}.{patch}") for patch in (30, 0))]
    if wanted:
        if not any(allowed.contains(f"{wanted}.{patch}") for patch in (30, 0)):
            raise ProfileError(f"it needs Python {project.requires_python}, not {wanted}", step="interpreter")
        return wanted
    if not fitting:
        raise ProfileError(
            f"it needs Python {project.requires_python}; {VERSIONS[0]} to {VERSIONS[-1]} are known", step="detect"
        )
    named = {
        c.rsplit(" :: ", 1)[-1] for c in project.classifiers if c.startswith("Programming Language :: Python :: 3.")
    }
    declared = [v for v in fitting if v in named] or fitting
    return PREFERRED if PREFERRED in declared else declared[-1]


def _requirements(project: Project, python: str, imported: set[str]) -> list[str]:
    needs = test_needs(project, python)
    extras = sorted({e for e in needs.extras if normal(e) in {normal(x) for x in extras_of(project)}}, key=normal)
    name = project.name or "project"
    itself = own(name, extras)
    used = {normal(_distribution(module)) for module in imported} | {normal(module) for module in imported}
    tests = [r for r in needs.requirements if (q := parse(r)) and (not is_tool(q.name) or normal(q.name) in used)]
    tests += _undeclared(needs, tests, imported)
    if not any(normal(Requirement(r).name) == "pytest" for r in tests):
        tests.append("pytest")
    return list(dict.fromkeys([itself, *build_requirements(project), *_tidy(tests)]))


def own(name: str, extras: list[str]) -> str:
    """The requirement that stands for the tree itself."""
    inside = f"[{','.join(extras)}]" if extras else ""
    return f"{name}{inside} @ {TREE}"


def _distribution(module: str) -> str:
    return re.split(r"[<>=!~ ]", DISTRIBUTIONS.get(module, module))[0]


def _undeclared(needs: Needs, tests: list[str], imported: set[str]) -> list[str]:
    """Distributions of modules that tests import undeclared: well-known ones, or all where nothing is declared."""
    have = {normal(Requirement(r).name) for r in tests}
    modules = sorted(m for m in imported if m in DISTRIBUTIONS or not needs)
    return [
        DISTRIBUTIONS.get(m, m)
        for m in modules
        if normal(_distribution(m)) not in have and parse(DISTRIBUTIONS.get(m, m))
    ]


def _tidy(requirements: list[str]) -> list[str]:
    """Without bare names that stand there constrained as well."""
    bounded = {normal(q.name) for r in requirements if (q := Requirement(r)).specifier or q.marker}
    return [
        r
        for r in requirements
        if (q := Requirement(r)).specifier or q.marker or q.extras or normal(q.name) not in bounded
    ]


def build_requirements(project: Project) -> list[str]:
    """What building the tree needs beside it."""
    system = project.build_system
    declared = [str(r) for line in strings(system.get("requires")) if (r := parse(line))]
    backend = str(system.get("build-backend", "setuptools.build_meta"))
    known = next((extra for module, extra in BACKEND_EXTRAS.items() if backend.startswith(module)), ())
    names = {normal(Requirement(r).name) for r in declared}
    if backend.startswith("setuptools") and "setuptools" not in names:
        declared.append("setuptools")
    return declared + [extra for extra in known if normal(extra) not in names]


def exports(project: Project, version: str) -> list[str]:
    """Variables that give a version to build tools that would ask git for it."""
    if not _dynamic(project):
        return []
    used = {normal(Requirement(r).name) for r in build_requirements(project)}
    names = sorted({variable for tool, variable in _VERSION_TOOLS.items() if tool in used})
    value = project.version or version or "0.0.1"
    return [f"export {name}={value}" for name in names if re.fullmatch(r"[\w.!+\-]+", value)]


def _dynamic(project: Project) -> bool:
    return "version" not in project.project and not isinstance(project.setup_py.get("version"), str)
