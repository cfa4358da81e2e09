"""Code that looks at the tests that run it is told by the names that it brings in."""

from __future__ import annotations

import pytest

from swesmith_gym import languages

python = languages.get("python")
BEFORE = {"pkg/__init__.py": b"", "pkg/a.py": b"import sys\n", "pkg/b.py": b"import inspect\nprint(inspect.stack())\n"}


def told(code: str, path: str = "pkg/a.py", **more: str) -> tuple[str, ...]:
    return python.looks_at_tests(BEFORE, {path: code.encode(), **{name: text.encode() for name, text in more.items()}})


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("import _pytest.python as p\n", "_pytest"),
        ("from pytest import skip\n", "pytest"),
        ("import unittest\n", "unittest"),
        ("import os\nos.environ.get('PYTEST_CURRENT_TEST')\n", "PYTEST_CURRENT_TEST"),
        ("x = 'pytest' in sys.modules\n", "pytest"),
        ("x = '_py' + ('te' 'st')\n", "_pytest"),
        ("x = '\\x70ytest'\n", "pytest"),
        ("x = b'_pytest'\n", "_pytest"),
        ("'pytest' in sys.modules and f()\n", "pytest"),
        ("frame = sys._getframe(2)\n", "_getframe"),
        ("x = frame.f_back\n", "f_back"),
        ("x = getattr(sys, '_getframe')\n", "_getframe"),
        ("from inspect import trace\n", "inspect.trace"),
        ("sys.setprofile(f)\n", "setprofile"),
        ('def f():\n    """import pytest"""\nexec(f.__doc__)\n', "pytest"),
        ("exec('import pytest')\n", "pytest"),
        ("import _\uff50ytest.python\n", "_pytest"),
        ("from inspect import cleandoc, stack\n", "inspect.stack"),
        ("f = getattr(inspect, 'stack')\n", "inspect.stack"),
        ("import traceback\ntraceback.format_stack()\n", "format_stack"),
        ("import swesmith_gym_runner.plugin\n", "swesmith_gym_runner"),
        ("open('/proc/self/cmdline')\n", "/proc/self"),
        ("def (:\n    pytest\n", "pytest"),
    ],
)
def test_names_of_the_runner_and_of_the_stack_tell(code: str, word: str) -> None:
    assert told(code) == (f"pkg/a.py names `{word}`",)


@pytest.mark.parametrize(
    "code",
    [
        "import inspect\nstack = []\nstack.append(1)\ntrace = stack\n",
        'def f():\n    """Used by pytest."""\n    return 1  # pytest likes it\n',
        "import re\nx = re.compile('a')\n",
        "\x00",
        "x = '" + "(" * 100_000 + "'\n",
        "(" * 100_000,
        "",
    ],
    ids=["stack", "documents", "compiled", "nul", "string", "deep", "empty"],
)
def test_other_code_does_not(code: str) -> None:
    assert told(code) == ()


def test_what_the_package_does_not_load_does_not_matter() -> None:
    assert told("import pytest\n", "reproduce.py") == ()
    assert told("import pytest\n", "pkg/test_mine.py") == ()
    assert told("import unittest\n", "pkg/repro.py") == ()
    assert told("x = 1  # check the bound, see notes\n", **{"check.py": "import pytest\n", "pkg/notes": "pytest"}) == ()
    assert told("Run pytest.\n", "README.md") == ()
    assert told("Run pytest.\n", "pkg/README.md") == ()
    assert told("import a\n", "pkg/b.py", **{"pkg/a.py~": "import pytest\n", "pkg/a.md": "pytest"}) == ()


def test_what_it_does_load_matters() -> None:
    assert told("import new\n", **{"pkg/new.py": "import pytest\n"}) == ("pkg/new.py names `pytest`",)
    finder = {**BEFORE, "pkg/plugins.py": b"for each in pkgutil.iter_modules(): ...\n"}
    assert python.looks_at_tests(finder, {"pkg/new.py": b"import pytest\n"}) == ("pkg/new.py names `pytest`",)
    assert python.looks_at_tests(finder, {"pkg/test_new.py": b"import pytest\n"}) == ()
    assert told("import helper\n", **{"helper.py": "import pytest\n"}) == ("helper.py names `pytest`",)
    assert told("import helper\n", **{"helper/__init__.py": "import pytest\n"})
    assert told("exec(open('pkg/data.txt').read())\n", **{"pkg/data.txt": "import pytest\n"})
    chain = {"one.py": "import two\n", "two.py": "import pytest\n"}
    assert told("import one\n", **chain) == ("two.py names `pytest`",)


def test_a_text_that_is_run_counts_with_its_comments_and_whatever_file_it_may_be() -> None:
    assert told("# import pytest\nexec(open(__file__).read())\n") == ("pkg/a.py names `pytest`",)
    files = {"pkg/x": "import pytest\n"}
    assert told("for f in folder.iterdir(): exec(f.read_text())\n", **files) == ("pkg/x names `pytest`",)
    assert told('def f():\n    """import pytest"""\ng(inspect.getdoc(f))\n') == ("pkg/a.py names `pytest`",)


def test_names_are_a_files_own_and_may_move() -> None:
    assert told("import inspect\nprint(inspect.stack(), inspect.stack())\n", "pkg/b.py") == ()
    assert told("import inspect\ninspect.stack()\n") == ("pkg/a.py names `inspect.stack`",)
    moved = {"pkg/b.py": "from pkg.a import shown\n"}
    assert told("import inspect\ninspect.stack()\n", **moved) == ()


def test_many_files_are_looked_at_in_no_more_than_linear_time() -> None:
    many = {f"pkg/m{n}.py": f"import m{n + 1}\n".encode() for n in range(3000)}
    assert python.looks_at_tests(BEFORE, many) == ()


@pytest.mark.parametrize(
    ("body", "reads"),
    [
        ("    start = time.perf_counter()\n    assert time.perf_counter() - start < 1\n", True),
        ("    start = time.time()\n", True),
        ("    wait(timeout=3)\n", True),
        ("    assert timeit(f) < 1\n", True),
        ("    assert f(1) == 2\n    time = 1\n", False),
        ("    assert document.time == 2\n", False),
    ],
)
def test_tests_that_measure_time(body: str, reads: bool) -> None:
    files = {"tests/test_a.py": b"import time\n\n\ndef test_one():\n" + body.encode()}
    assert python.reads_clock(files, "tests/test_a.py::test_one[1]") is reads


def test_a_limit_around_a_test_is_a_clock_and_a_lost_test_is_none() -> None:
    files = {"tests/test_a.py": b"import pytest\n\n\n@pytest.mark.timeout(3)\ndef test_one():\n    pass\n"}
    assert python.reads_clock(files, "tests/test_a.py::test_one")
    assert not python.reads_clock(files, "tests/test_a.py::test_two")
    assert not python.reads_clock(files, "tests/test_b.txt::test_b.txt")
