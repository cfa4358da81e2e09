"""The runner that stays: forks give what fresh processes give, and leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from test_runner_outcomes import ALL_KINDS
from warm_process import LIMITS, Runner

from swesmith_gym.harness.worker import close_suite, open_suite, run_suite
from swesmith_gym.languages.base import CpuLimits
from swesmith_gym.languages.python.testing import report
from swesmith_gym.records import Outcome, TestReport

STRICT = '[tool.pytest.ini_options]\naddopts = "--strict-markers"\n'
PLAIN = {
    "thing.py": "import os\nSIZE = 3\n\ndef double(n):\n    return helper(n)\n\ndef helper(n):\n    return 2 * n\n",
    "tests/test_thing.py": """import thing
def test_double(): assert thing.double(2) == 4
def test_size(): assert thing.SIZE == 3
""",
    "tests/test_other.py": "def test_other(): pass\n",
}


def shown(found: TestReport) -> dict[str, tuple[Outcome, str]]:
    return {test: (result.outcome, result.message) for test, result in found.results.items()}


def test_forks_report_what_a_fresh_process_reports(
    warm: Callable[..., Runner], runner: Callable[..., TestReport]
) -> None:
    cold = runner(ALL_KINDS)
    found = warm(ALL_KINDS).run()
    assert shown(found) == shown(cold)
    assert (found.collected, found.finished) == (cold.collected, cold.finished)


def test_a_change_is_seen_and_put_back(warm: Callable[..., Runner], tmp_path: Path) -> None:
    runner = warm(PLAIN)
    text = PLAIN["thing.py"]
    before = {path: path.stat() for path in (tmp_path / "tree").rglob("*.py")}
    for _ in range(2):
        assert {result.outcome for result in runner.run().results.values()} == {Outcome.PASSED}
        bad = runner.run({"thing.py": text.replace("2 * n", "3 * n"), "new/file.py": "x = 1\n"})
        assert [test for test, result in bad.results.items() if result.outcome is Outcome.FAILED] == [
            "tests/test_thing.py::test_double"
        ]
        assert runner.states == ["ready", "done", "closed"]
    after = {path: path.stat() for path in (tmp_path / "tree").rglob("*.py")}
    assert after.keys() == before.keys()
    assert all((after[p].st_mtime_ns, after[p].st_mode) == (before[p].st_mtime_ns, before[p].st_mode) for p in before)


CONFTEST = "import pytest, thing\n@pytest.fixture\ndef size(): return thing.SIZE\n"


def test_conftest_files_are_loaded_anew_for_each_suite(warm: Callable[..., Runner]) -> None:
    test = "def test_size(size): assert size == 3\n"
    runner = warm({**PLAIN, "tests/conftest.py": CONFTEST, "tests/test_size.py": test}, paths=("tests",))
    for size, outcome in ((3, Outcome.PASSED), (4, Outcome.FAILED), (3, Outcome.PASSED)):
        found = runner.run({"thing.py": PLAIN["thing.py"].replace("SIZE = 3", f"SIZE = {size}")})
        assert found.results["tests/test_size.py::test_size"].outcome is outcome
        assert found.finished


@pytest.mark.parametrize(
    ("conftest", "test"),
    [
        (
            "def pytest_addoption(parser): parser.addoption('--many', type=int, default=3)\n",
            "def test_it(request): assert request.config.getoption('--many') == 3\n",
        ),
        (
            "def pytest_sessionstart(session): session.config.begun = True\n",
            "def test_it(request): assert request.config.begun\n",
        ),
        (
            "def pytest_configure(config): config.addinivalue_line('markers', 'slow: is slow'); config.begun = True\n",
            "import pytest\n@pytest.mark.slow\ndef test_it(request): assert request.config.begun\n",
        ),
    ],
)
def test_hooks_of_conftest_files_are_called(warm: Callable[..., Runner], conftest: str, test: str) -> None:
    runner = warm({"conftest.py": conftest, "tests/test_it.py": test, "pyproject.toml": STRICT}, paths=("tests",))
    for _ in range(2):
        assert runner.run().results["tests/test_it.py::test_it"].outcome is Outcome.PASSED
        assert runner.states == ["ready", "done", "closed"]


def test_what_can_be_loaded_ahead_is_no_plugin(warm: Callable[..., Runner]) -> None:
    """pytest complains of one that is loaded already, and ends where warnings are errors."""
    runner = warm(PLAIN, plugins=("xdist.plugin",))
    opened = open_suite("one", limit_s=30, trace=True)
    assert runner.ask(opened, close_suite("one")) == ["ready", "closed"]
    _, collection = report.traces(Path(opened["report"]).read_bytes())
    assert collection is not None
    assert "json" in collection.loaded
    assert not any(name.partition(".")[0] == "xdist" for name in collection.loaded)


def test_plugins_of_the_tree_are_loaded_anew(warm: Callable[..., Runner]) -> None:
    tree = {
        "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-p plug"\npythonpath = ["."]\n',
        "plug.py": "import pytest, thing\n@pytest.fixture\ndef size(): return thing.SIZE\n",
        "thing.py": "SIZE = 3\n",
        "tests/test_size.py": "def test_size(size): assert size == 3\n",
    }
    runner = warm(tree)
    assert runner.run().results["tests/test_size.py::test_size"].outcome is Outcome.PASSED
    bad = runner.run({"thing.py": "SIZE = 4\n"})
    assert bad.results["tests/test_size.py::test_size"].outcome is Outcome.FAILED


def test_tests_are_chosen_and_files_left_out(warm: Callable[..., Runner]) -> None:
    runner = warm(PLAIN)
    ran = run_suite("one", ["tests/test_thing.py::test_size"], LIMITS, limit_s=30, times=3)
    runner.ask(open_suite("one", {}, left_out=["tests/test_other.py"], limit_s=30), ran, close_suite("one"))
    for number in range(3):
        found = runner.read(ran, number)
        assert list(found.results) == ["tests/test_thing.py::test_size"]
        assert found.collected == ("tests/test_thing.py::test_size",)
        assert found.finished


def test_runs_of_one_suite_do_not_see_each_other(warm: Callable[..., Runner]) -> None:
    runner = warm({"tests/test_state.py": "seen = []\ndef test_first(): seen.append(1); assert len(seen) == 1\n"})
    ran = run_suite("one", None, LIMITS, limit_s=30, times=2)
    runner.ask(open_suite("one", limit_s=30), ran, close_suite("one"))
    assert [runner.read(ran, number).results["tests/test_state.py::test_first"].outcome for number in range(2)] == [
        Outcome.PASSED
    ] * 2


def test_a_file_that_must_be_collected_ends_the_suite(warm: Callable[..., Runner]) -> None:
    runner = warm(PLAIN)
    opened = open_suite("one", {"thing.py": b"1 / 0\n"}, limit_s=30, whole=["tests/test_thing.py"])
    states = runner.ask(opened, run_suite("one", None, LIMITS, limit_s=30), close_suite("one"))
    assert states == ["ended", "left out", "closed"]
    raw = Path(opened["report"]).read_bytes()
    found = report.parse(raw, exit_code=0, timed_out=False, duration_s=0.0, log="")
    assert "ZeroDivisionError" in found.broken_modules["tests/test_thing.py"]
    assert runner.run().finished


def test_an_endless_test_ends_the_run_and_is_named(warm: Callable[..., Runner]) -> None:
    runner = warm(PLAIN)
    loop = {"thing.py": PLAIN["thing.py"].replace("return 2 * n", "while True: pass")}
    found = runner.run(loop, limits=CpuLimits({"tests/test_thing.py::test_double": 0.3}, 60.0))
    assert (found.slow, found.timed_out, found.finished) == ("tests/test_thing.py::test_double", True, False)
    assert runner.run().finished


def test_a_test_that_waits_is_killed_at_the_limit_of_the_run(warm: Callable[..., Runner]) -> None:
    runner = warm({"tests/test_wait.py": "import threading\ndef test_wait(): threading.Event().wait()\n"})
    runner.run(limit_s=0.5)
    assert runner.states == ["ready", "timeout", "closed"]
    assert runner.ask(close_suite("one")) == ["closed"]


def test_what_tests_start_and_write_is_gone(warm: Callable[..., Runner], tmp_path: Path) -> None:
    runner = warm(
        {
            "tests/test_rude.py": """
                import os, subprocess, sys
                def test_rude():
                    open("left.txt", "w").close()
                    os.makedirs("folder/in", exist_ok=True)
                    code = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)"
                    subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
                    while not (os.path.exists("pid") and open("pid").read()): pass
                    os.replace("pid", os.environ["HOME"] + "/pid-kept")
            """
        }
    )
    spared = tmp_path / "pid-kept"
    ran = run_suite("one", None, LIMITS, limit_s=30)
    assert runner.ask(open_suite("one", limit_s=30), ran) == ["ready", "done"]
    pid = int(spared.read_text())
    assert not Path("/proc", str(pid)).exists()
    assert runner.ask(close_suite("one")) == ["closed"]
    assert sorted(path.name for path in (tmp_path / "tree").iterdir()) == ["tests"]


def test_a_changed_file_is_told(warm: Callable[..., Runner]) -> None:
    runner = warm({"data.txt": "a", "tests/test_write.py": "def test_write(): open('data.txt', 'w').write('b')\n"})
    runner.run()
    assert runner.states == ["ready", "done", "changed"]


def test_a_suite_that_kills_itself_is_told(warm: Callable[..., Runner]) -> None:
    runner = warm({"tests/test_kill.py": "import os\ndef test_kill(): os.kill(os.getppid(), 9)\n"})
    ran = run_suite("one", None, LIMITS, limit_s=30)
    assert runner.ask(open_suite("one", limit_s=30), ran, close_suite("one")) == ["ready", "ended", "closed"]


def test_each_test_alone_is_watched(warm: Callable[..., Runner]) -> None:
    runner = warm(
        {
            **PLAIN,
            "tests/test_more.py": """
                import subprocess, sys, threading
                import thing
                def test_reads(): open("data.txt").close()
                def test_hides(): subprocess.run([sys.executable, "-c", ""])
                def test_thread():
                    thread = threading.Thread(target=thing.double, args=(1,))
                    thread.start()
                    thread.join()
                def test_imports(): import late
            """,
            "data.txt": "",
            "late.py": "x = 1\n",
        }
    )
    tests = ["tests/test_thing.py::test_double", "tests/test_thing.py::test_size"]
    tests += [f"tests/test_more.py::test_{name}" for name in ("reads", "hides", "thread", "imports")]
    opened = open_suite("one", limit_s=30, trace=True)
    ran = run_suite("one", tests, LIMITS, limit_s=30, each=True, trace=True)
    assert runner.ask(opened, ran, close_suite("one")) == ["ready", "done", "closed"]
    _, collection = report.traces(Path(opened["report"]).read_bytes())
    assert collection is not None
    assert {"thing.py:0:<module>", "tests/test_other.py:0:<module>"} <= collection.code
    assert "json" in collection.loaded
    assert not any(name.startswith("thing") for name in collection.loaded)
    traces, _ = report.traces(Path(ran["report"]).read_bytes())
    assert traces[tests[0]].code == {
        "tests/test_thing.py:2:test_double": 0,
        "thing.py:4:double": 1,
        "thing.py:7:helper": 2,
    }
    assert traces[tests[1]].code == {"tests/test_thing.py:3:test_size": 0}
    assert traces["tests/test_more.py::test_reads"].files == {"data.txt"}
    assert [test for test in tests if traces[test].hidden] == ["tests/test_more.py::test_hides"]
    assert "thing.py:7:helper" in traces["tests/test_more.py::test_thread"].code
    assert "late.py:0:<module>" in traces["tests/test_more.py::test_imports"].code


def test_a_run_does_not_find_what_a_killed_one_has_printed(warm: Callable[..., Runner]) -> None:
    runner = warm(
        {
            "tests/test_print.py": """
                import os, threading
                import pytest
                @pytest.fixture
                def caught(pytestconfig):
                    file = pytestconfig.pluginmanager.getplugin("capturemanager")._global_capturing.out.tmpfile
                    return os.fstat(file.fileno()).st_size
                def test_waits():
                    os.write(1, b"from the killed run")
                    threading.Event().wait()
                def test_finds(caught): assert caught == 0
            """
        }
    )
    killed = run_suite("one", ["tests/test_print.py::test_waits"], LIMITS, limit_s=0.5)
    assert runner.ask(open_suite("one", limit_s=30), killed) == ["ready", "timeout"]
    finds = run_suite("one", ["tests/test_print.py::test_finds"], LIMITS, limit_s=30, texts=True)
    assert runner.ask(finds, close_suite("one")) == ["done", "closed"]
    assert runner.read(finds).results["tests/test_print.py::test_finds"].outcome is Outcome.PASSED
