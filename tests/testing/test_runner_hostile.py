"""Tests that change the process under the runner, leave it, or never end."""

from __future__ import annotations

import json

import pytest

from swesmith_gym.languages.python.testing import report
from swesmith_gym.records import Outcome


def outcomes(found):
    return {test_id.split("::")[1]: str(result.outcome) for test_id, result in found.results.items()}


@pytest.mark.parametrize(
    "body",
    [
        "os.chdir(tempfile.mkdtemp())",
        "os.environ.clear()",
        "os.write = json.dumps = json.JSONEncoder.encode = os.getpid = os.fstat = None",
        "time.perf_counter = time.time = time.monotonic = lambda: 0.0",
        "builtins.open = None",
        "os.closerange(20, 2000)",
        "[os.dup2(os.open(os.devnull, os.O_WRONLY), n) for n in range(900, 910)]",
        "sys.stdout.close()",
        "signal.setitimer(signal.ITIMER_REAL, 0)",
    ],
)
def test_what_a_test_does_to_the_process_loses_no_result(runner, body):
    code = f"""
        import builtins, json, os, signal, sys, tempfile, time
        def test_a(): pass
        def test_b():
            {body}
        def test_c(): pass
    """
    found = runner({"test_a.py": code})
    results = outcomes(found)
    assert results["test_a"] == "passed"
    assert set(results) == {"test_a", "test_b", "test_c"}
    assert all(0 <= result.duration_s < 60 for result in found.results.values())


def test_a_patched_clock_does_not_reach_durations(runner):
    code = """
        import sys, time
        def test_a():
            fake = lambda: -1e9
            for module in list(sys.modules.values()):
                for name, value in list(vars(module).items()):
                    if value is time.perf_counter and module is not time:
                        setattr(module, name, fake)
        def test_b(): pass
    """
    found = runner({"test_a.py": code})
    assert all(0 <= result.duration_s < 60 for result in found.results.values())


def test_a_fork_that_runs_on_writes_nothing(runner):
    code = """
        import os
        def test_a():
            global child
            child = os.fork()
        def test_b():
            if child: os.waitpid(child, 0)
    """
    found = runner({"test_a.py": code})
    assert outcomes(found) == {"test_a": "passed", "test_b": "passed"}
    assert found.finished


@pytest.mark.parametrize(
    "end", ["os._exit(0)", "os.kill(os.getpid(), 9)", "raise KeyboardInterrupt", "pytest.exit('no more')"]
)
def test_a_run_that_was_cut_short_is_not_finished(runner, end):
    code = f"import os, pytest\ndef test_a(): pass\ndef test_b():\n    {end}\ndef test_c(): pass\n"
    found = runner({"test_a.py": code})
    assert outcomes(found)["test_a"] == "passed"
    assert "test_c" not in outcomes(found)
    assert not found.finished


def test_sys_exit_in_a_test_is_a_failure(runner):
    found = runner({"test_a.py": "def test_a(): raise SystemExit(0)\ndef test_b(): pass\n"})
    assert outcomes(found) == {"test_a": "failed", "test_b": "passed"}
    assert found.finished


@pytest.mark.parametrize(
    "loop", ["while True: pass", "while True:\n        try: time.sleep(9)\n        except Exception: pass"]
)
def test_a_test_over_its_time_limit_fails_and_the_run_goes_on(runner, loop):
    code = f"import time\ndef test_a():\n    {loop}\ndef test_b(): pass\n"
    found = runner({"test_a.py": code}, test_timeout_s=0.3)
    assert outcomes(found) == {"test_a": "failed", "test_b": "passed"}
    assert "limit of 0.3 s" in found.results["test_a.py::test_a"].message
    assert found.finished


def test_an_id_that_two_tests_share_is_an_error(runner):
    files = {
        "conftest.py": "def pytest_collection_modifyitems(items): items.append(items[0])\n",
        "test_a.py": "def test_a(): pass\ndef test_b(): pass\n",
    }
    assert outcomes(runner(files)) == {"test_a": "error", "test_b": "passed"}


def lines(*values):
    return "".join(json.dumps(value) + "\n" for value in values).encode()


WHOLE = (
    {"t": "start"},
    {"t": "collected", "ids": ["a.py::t", "a.py::u"], "selected": 2},
    {"t": "result", "id": "a.py::t", "outcome": "passed", "s": 0.5, "text": ""},
    {"t": "result", "id": "a.py::u", "outcome": "failed", "s": 0.5, "text": "why"},
    {"t": "end", "exit": 1},
)


def parse(raw, *, exit_code=1, timed_out=False):
    return report.parse(raw, exit_code=exit_code, timed_out=timed_out, duration_s=1.0, log="log")


def test_a_whole_report():
    found = parse(lines(*WHOLE))
    assert found.finished
    assert found.results["a.py::u"].outcome is Outcome.FAILED
    assert found.results["a.py::u"].message == "why"


@pytest.mark.parametrize("length", range(0, len(lines(*WHOLE)), 7))
def test_a_report_cut_anywhere_is_read_as_far_as_it_is_whole(length):
    found = parse(lines(*WHOLE)[:length])
    assert not found.finished
    assert set(found.results) <= {"a.py::t", "a.py::u"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"\xff\xfe\n" + lines(*WHOLE),
        b"[1]\n" + lines(*WHOLE),
        lines({"t": "result"}, *WHOLE),
        lines({"t": "result", "id": "x", "outcome": "good", "s": 1, "text": ""}, *WHOLE),
        lines({"t": "collected", "ids": 7, "selected": 2}),
        lines(*WHOLE[:3], WHOLE[4]),
    ],
)
def test_a_report_with_foreign_lines_is_never_whole(raw):
    assert not parse(raw).finished


def test_a_run_that_was_ended_from_outside_is_not_finished():
    assert not parse(lines(*WHOLE), exit_code=None).finished
    assert not parse(lines(*WHOLE), timed_out=True).finished
