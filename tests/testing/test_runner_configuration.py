"""The repository's own configuration holds, less what would change or break a measured run."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from swesmith_gym.languages.python.language import Python
from swesmith_gym.languages.python.testing.runner.swesmith_gym_runner.options import without
from swesmith_gym.records import TestSetup

TWO = "def test_first(): assert False\ndef test_second(): assert False\ndef test_slow(): pass\n"
ADDOPTS = "-xv --maxfail 1 -n4 --cov=pkg --cov-report term -p no:cacheprovider --lf --strict-config -k 'not slow'"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", f"[pytest]\naddopts = {ADDOPTS}\nunknown_option = 1\nfilterwarnings = error\n"),
        ("tox.ini", f"[pytest]\naddopts = {ADDOPTS}\nfilterwarnings = error\n"),
        ("setup.cfg", f"[tool:pytest]\naddopts = {ADDOPTS}\nunknown_option = 1\n"),
        ("pyproject.toml", f'[tool.pytest.ini_options]\naddopts = "{ADDOPTS}"\nunknown_option = 1\n'),
        ("pyproject.toml", '[tool.pytest.ini_options]\naddopts = ["-x", "-n", "auto", "-k", "not slow"]\n'),
    ],
)
def test_addopts_are_kept_less_what_breaks_a_run(runner, name, text):
    found = runner({name: text, "test_a.py": TWO})
    assert found.finished, found.log
    assert list(found.results) == ["test_a.py::test_first", "test_a.py::test_second"]


def test_what_hinders_a_run_before_the_first_test_is_set_aside(runner):
    warns = "import pytest, warnings\ndef pytest_configure(): warnings.warn(pytest.PytestDeprecationWarning('old'))\n"
    ini = "[pytest]\nrequired_plugins = pytest-nothing\nfilterwarnings = error\n"
    found = runner({"pytest.ini": ini, "conftest.py": warns, "test_a.py": TWO})
    assert found.finished, found.log
    assert len(found.results) == 3


def test_configuration_of_a_test_folder_is_found_as_pytest_finds_it(runner):
    files = {"tests/pytest.ini": "[pytest]\naddopts = -x -k 'not slow'\n", "tests/test_a.py": TWO}
    found = runner(files, TestSetup(paths=("tests",)))
    assert list(found.results) == ["tests/test_a.py::test_first", "tests/test_a.py::test_second"]


def test_warnings_as_errors_still_fail_tests(runner):
    code = "import warnings\ndef test_a(): warnings.warn('x')\n"
    found = runner({"pytest.ini": "[pytest]\nfilterwarnings = error\n", "test_a.py": code})
    assert found.results["test_a.py::test_a"].outcome == "failed"


def test_arguments_paths_and_plugins_of_the_set_up(runner):
    files = {
        "helper_plugin.py": "import pytest\n@pytest.fixture\ndef seven(): return 7\n",
        "a/test_a.py": "def test_a(seven): assert seven == 7\n",
        "b/test_b.py": "def test_b(): pass\n",
    }
    setup = TestSetup(paths=("a",), plugins=("helper_plugin",), args=("-k", "test_a"), env={"PYTHONPATH": "."})
    found = runner(files, setup)
    assert {test_id: str(result.outcome) for test_id, result in found.results.items()} == {
        "a/test_a.py::test_a": "passed"
    }


@pytest.mark.parametrize(
    ("words", "ignored", "kept"),
    [
        ("-ra -n auto", (), "-ra"),
        ("-n4 -v", (), "-v"),
        ("-xvs", (), "-v"),
        ("--cov pkg tests", (), "tests"),
        ("--cov --strict-markers", (), "--strict-markers"),
        ("--doctest-modules --doctest-glob=*.rst", (), "--doctest-glob=*.rst"),
        ("--benchmark-only -q", ("--benchmark-only",), "-q"),
        ("--timeout=3 --timeout 4 -q", ("--timeout",), "-q"),
        ("--asyncio-mode=auto", ("--asyncio-mode=auto",), ""),
        ("--durations=10 --durations 5 -l", (), "-l"),
        ("--tb=no --capture=no --color=yes", (), ""),
    ],
)
def test_options_that_are_taken_out(words, ignored, kept):
    assert without(words.split(), ignored) == kept.split()


def test_the_process_looks_as_pytest_started_it(runner):
    code = """
        import os, sys, subprocess
        def test_path(): assert sys.path[0] == os.getcwd() == os.path.realpath(os.path.dirname(__file__))
        def test_main(): assert sys.modules["__main__"].__spec__.name == "pytest.__main__"
        def test_argv(): assert sys.argv[0].endswith("__main__.py")
        def test_env(): assert (os.environ["TZ"], os.environ["PYTHONHASHSEED"]) == ("UTC", "0")
        def test_addopts(): assert "PYTEST_ADDOPTS" not in os.environ
        def test_stdin(): assert subprocess.run(["cat"], capture_output=True).stdout == b""
        def test_plugins(request): assert not request.config.pluginmanager.hasplugin("xdist")
        def test_modules(): assert not [name for name in sys.modules if name in ("run", "plugin", "channel", "options")]
    """
    found = runner({"test_a.py": code}, env={"PYTEST_ADDOPTS": "--no-such"})
    broken = {test_id: result.message for test_id, result in found.results.items() if result.outcome != "passed"}
    assert broken == {}
    assert len(found.results) == 8


def test_modules_of_the_tree_do_not_stand_in_for_the_runners(runner):
    stand_ins = dict.fromkeys(("pytest.py", "json.py", "shlex.py", "pluggy.py"), "raise SystemExit(0)\n")
    found = runner({**stand_ins, "test_a.py": "def test_a(): assert False\n"})
    assert found.results["test_a.py::test_a"].outcome == "failed"


def test_the_runner_is_python_3_8_and_imports_the_standard_library_and_pytest_only():
    allowed = sys.stdlib_module_names | {"pytest", "_pytest", "swesmith_gym_runner"}
    for path in Path(Python.tools).rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            assert {name.split(".")[0] for name in names} <= allowed, path
            assert not isinstance(node, ast.Match)
