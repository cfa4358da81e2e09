"""The test surface: by what was collected, not by what files are called."""

from __future__ import annotations

import pytest

from swesmith_gym.languages.python.language import Python
from swesmith_gym.records import TestSetup

FILES = [
    "README.md",
    "pyproject.toml",
    "setup.py",
    "src/pkg/__init__.py",
    "src/pkg/conftest.py",
    "src/pkg/core.py",
    "src/pkg/testing.py",
    "src/pkg/testing/__init__.py",
    "src/pkg/testing/tools.py",
    "src/pkg/test_inline.py",
    "src/pkg/tests/__init__.py",
    "src/pkg/tests/helpers.py",
    "src/pkg/tests/data/case.json",
    "src/pkg/tests/test_core.py",
    "tests/conftest.py",
    "tests/unit/test_more.py",
    "tests/data.txt",
    "checks/check_all.py",
    "docs/tests/index.md",
    "docs/use.rst",
]
IDS = [
    "src/pkg/tests/test_core.py::test_a[1]",
    "src/pkg/test_inline.py::test_b",
    "tests/unit/test_more.py::TestX::test_c",
    "checks/check_all.py::test_d",
    "docs/use.rst::use.rst",
    "src/pkg/core.py::pkg.core.f",
    "src/pkg/core.py::core",
]


@pytest.fixture
def found():
    return Python().surface(FILES, TestSetup(), IDS)


def test_roots_hold_tests_only(found):
    assert found.roots == ("checks", "src/pkg/tests", "tests")


def test_files(found):
    assert set(FILES) - set(found.files) == {
        "README.md",
        "src/pkg/__init__.py",
        "src/pkg/core.py",
        "src/pkg/testing.py",
        "src/pkg/testing/__init__.py",
        "src/pkg/testing/tools.py",
        "docs/tests/index.md",
    }
    assert list(found.files) == sorted(found.files)


def test_a_flat_tree_has_no_root():
    assert Python().surface(["pkg.py", "test_pkg.py"], TestSetup(), ["test_pkg.py::test_a"]).roots == ()


def test_a_folder_of_test_tools_that_is_a_package_is_no_root():
    files = ["testing/__init__.py", "testing/a.py", "testing/b.py", "testing/test_a.py"]
    assert Python().surface(files, TestSetup(), ["testing/test_a.py::test_a"]).files == ("testing/test_a.py",)


@pytest.mark.parametrize(
    "path",
    [
        "conftest.py",
        "a/b/conftest.py",
        "pytest.ini",
        ".pytest.ini",
        "pytest.toml",
        "tox.ini",
        "setup.cfg",
        "setup.py",
        "pyproject.toml",
        "sitecustomize.py",
        "src/usercustomize.py",
        "x.pth",
        "pkg/a.pyc",
        "pkg/__pycache__/a.cpython-311.pyc",
        "evil.dist-info/entry_points.txt",
        "src/pkg.egg-info/PKG-INFO",
        "pytest.py",
        "_pytest/__init__.py",
        "pluggy/x.py",
        "json.py",
        "unittest/__init__.py",
        "json.cpython-311-x86_64-linux-gnu.so",
    ],
)
def test_files_that_steer(path):
    assert Python().steers_tests(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "pkg/json.py",
        "src/pkg/test.py",
        "test/a.py",
        "code/notes.txt",
        "docs/conf.py",
        "pkg/pytest.py",
        "tests/a.py",
    ],
)
def test_files_that_do_not_steer(path):
    assert not Python().steers_tests(path)


@pytest.mark.parametrize(
    ("path", "is_source"),
    [("pkg/a.py", True), ("a.py", True), ("setup.py", False), ("docs/conf.py", False), ("pkg/a.txt", False)],
)
def test_source_files(path, is_source):
    assert Python().is_source(path) is is_source


def test_the_module_of_an_id_stands_before_the_first_colons():
    assert Python().module_of("tests/a.py::T::test[x::y]") == "tests/a.py"
