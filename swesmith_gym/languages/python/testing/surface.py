"""The test surface: which files of a tree decide what its tests do."""

from __future__ import annotations

import sys
from collections.abc import Collection
from functools import lru_cache
from pathlib import PurePosixPath

from swesmith_gym.languages.base import Surface
from swesmith_gym.languages.python.testing.ids import is_doctest, module_of
from swesmith_gym.records import TestSetup

STEERING_NAMES = frozenset(
    {
        *(
            "conftest.py",
            "pytest.ini",
            ".pytest.ini",
            "pytest.toml",
            ".pytest.toml",
            "tox.ini",
            "setup.cfg",
            "setup.py",
        ),
        *("pyproject.toml", "sitecustomize.py", "usercustomize.py"),
    }
)
STEERING_SUFFIXES = (".pth", ".pyc", ".pyo", ".egg-link")
STEERING_FOLDERS = ("__pycache__",)
STEERING_FOLDER_SUFFIXES = (".dist-info", ".egg-info", ".egg")
TEST_TOOLS = frozenset({"pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "exceptiongroup", "tomli"})
NOT_SHADOWS = frozenset({"test", "idlelib", "lib2to3", "tkinter", "turtledemo", "this", "antigravity"})
"""Modules of the standard library that nothing in a test run needs; folders of these names are common."""

TEST_FOLDERS = frozenset({"test", "tests", "_test", "_tests", "testsuite", "test_suite", "unittests", "unit_tests"})


@lru_cache(maxsize=1 << 14)
def steers_tests(path: str) -> bool:
    """See `Language.steers_tests`."""
    parts = PurePosixPath(path).parts
    if not parts:
        return False
    if parts[-1] in STEERING_NAMES or parts[-1].endswith(STEERING_SUFFIXES):
        return True
    if any(part in STEERING_FOLDERS or part.endswith(STEERING_FOLDER_SUFFIXES) for part in parts):
        return True
    return _shadows(parts)


def _shadows(parts: tuple[str, ...]) -> bool:
    """A module or package at the top that would be imported in place of the standard library's or of pytest."""
    name = parts[0].partition(".")[0]
    code = parts[0].endswith((".py", ".so"))
    if name in TEST_TOOLS:
        return code or len(parts) > 1
    package = len(parts) == 2 and parts[1].startswith("__init__.")
    return name in sys.stdlib_module_names - NOT_SHADOWS and ((code and len(parts) == 1) or package)


def surface(files: Collection[str], setup: TestSetup, test_ids: Collection[str]) -> Surface:
    """See `Language.surface`. A doctest does not put the code that holds it on the surface."""
    present = frozenset(files)
    tests = frozenset(module_of(test_id) for test_id in test_ids if not _in_code(test_id)) & present
    folders = {str(folder) for path in tests for folder in PurePosixPath(path).parents} - {"."}
    roots = _outermost({folder for folder in folders if _holds_tests_only(folder, present, tests)})
    chosen = {path for path in present if path in tests or steers_tests(path) or below(path, roots)}
    named = {path for path in setup.paths if path in present and not _defines_code_doctests(path, test_ids)}
    return Surface(tuple(sorted(chosen | named)), roots)


def below(path: str, roots: Collection[str]) -> bool:
    """The path lies in one of the folders."""
    return any(path.startswith(f"{root}/") for root in roots)


def _in_code(test_id: str) -> bool:
    return module_of(test_id).endswith(".py") and is_doctest(test_id)


def _defines_code_doctests(path: str, test_ids: Collection[str]) -> bool:
    return any(module_of(test_id) == path and _in_code(test_id) for test_id in test_ids)


def _holds_tests_only(folder: str, present: frozenset[str], tests: frozenset[str]) -> bool:
    """By its name, if it is a usual one or most files below it are tests; else only if all of them are."""
    name = PurePosixPath(folder).name
    if name in TEST_FOLDERS:
        return True
    code = [path for path in present if path.startswith(f"{folder}/") and path.endswith(".py")]
    own = [path for path in code if PurePosixPath(path).name not in ("__init__.py", "conftest.py")]
    named_so = name.startswith(("test_", "tests_")) or name.endswith(("_test", "_tests"))
    apart = named_so or (name == "testing" and not _inside_package(folder, present))
    if f"{folder}/__init__.py" not in present and own and all(path in tests for path in own):
        return True
    return apart and _mostly(own, tests)


def _mostly(code: list[str], tests: frozenset[str]) -> bool:
    return 2 * sum(path in tests for path in code) >= len(code)


def _inside_package(folder: str, present: frozenset[str]) -> bool:
    return f"{PurePosixPath(folder).parent}/__init__.py" in present


def _outermost(roots: set[str]) -> tuple[str, ...]:
    return tuple(sorted(root for root in roots if not below(root, roots - {root})))
