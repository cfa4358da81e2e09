"""Forks of one suite do not see each other, and what a suite's process holds is met or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from warm_process import LIMITS, Runner

from swesmith_gym.harness.worker import close_suite, open_suite, run_suite
from swesmith_gym.languages.base import CollectionTrace, TestTrace
from swesmith_gym.languages.python.testing import report

Warm = Callable[..., Runner]


def runs(runner: Runner, times: int) -> list[dict[str, str]]:
    """What each test did in each run of a suite."""
    ran = run_suite("one", None, LIMITS, limit_s=30, times=times)
    assert runner.ask(open_suite("one", limit_s=30), ran, close_suite("one")) == ["ready", "done", "closed"]
    reports = [runner.read(ran, number) for number in range(times)]
    return [{test.split("::")[1]: found.outcome.value for test, found in each.results.items()} for each in reports]


def traced(runner: Runner) -> tuple[CollectionTrace, dict[str, TestTrace]]:
    opened = open_suite("one", limit_s=30, trace=True)
    ran = run_suite("one", None, LIMITS, limit_s=30, each=True, trace=True)
    assert runner.ask(opened, ran, close_suite("one")) == ["ready", "done", "closed"]
    _, collection = report.traces(Path(opened["report"]).read_bytes())
    assert collection is not None
    tests, _ = report.traces(Path(ran["report"]).read_bytes())
    return collection, {test.split("::")[1]: trace for test, trace in tests.items()}


def test_a_file_of_one_run_is_gone_in_the_next(warm: Warm) -> None:
    runner = warm(
        {
            "tests/test_left.py": """
                import os
                os.makedirs("made/at/import")
                def test_new():
                    assert os.listdir("made/at/import") == []
                    open("made/at/import/x", "w").close()
                    assert not os.path.exists("left")
                    os.mkdir("left")
            """
        }
    )
    assert runs(runner, 3) == [{"test_new": "passed"}] * 3


def test_the_next_run_waits_until_what_one_left_is_gone(warm: Warm) -> None:
    runner = warm(
        {
            "tests/test_many.py": """
                import os
                def test_it():
                    os.mkdir("many")
                    for number in range(500):
                        os.mkdir(f"many/{number}")
            """
        }
    )
    assert runs(runner, 4) == [{"test_it": "passed"}] * 4


def test_each_test_alone_makes_what_it_needs(warm: Warm) -> None:
    runner = warm(
        {
            "store.py": """
                import os
                def fill():
                    open("filled", "w").close()
                def use():
                    if not os.path.exists("filled"):
                        fill()
            """,
            "tests/test_store.py": "import store\ndef test_a(): store.use()\ndef test_b(): store.use()\n",
        }
    )
    _, tests = traced(runner)
    for name in ("test_a", "test_b"):
        assert "store.py:3:fill" in tests[name].code


def test_a_file_that_is_open_is_read_from_where_collecting_left_it(warm: Warm) -> None:
    runner = warm(
        {
            "lines.txt": "head\nfirst\nsecond\n",
            "tests/test_open.py": """
                FILE = open("lines.txt", buffering=1)
                assert FILE.readline() == "head\\n"
                HANDLE = open("lines.txt", "rb", buffering=0)
                HANDLE.read(5)
                def test_rest():
                    assert FILE.read() == "first\\nsecond\\n"
                    assert HANDLE.read() == b"first\\nsecond\\n"
            """,
        }
    )
    assert runs(runner, 3) == [{"test_rest": "passed"}] * 3


def test_a_suite_that_leaves_files_does_not_stay(warm: Warm) -> None:
    runner = warm({"tests/test_made.py": "import os\nos.mkdir('made')\ndef test_it(): assert os.path.isdir('made')\n"})
    opened = open_suite("gold", limit_s=30, stays=True)
    assert runner.ask(opened, close_suite(None)) == ["refused", "closed"]
    assert "made" in runner.answers[0]["why"]
    assert runs(runner, 2) == [{"test_it": "passed"}] * 2


GENERATORS = {
    "numbers_.py": """
        def count():
            n = 0
            while True:
                n += 1
                yield n
        async def later():
            return 1
        async def many():
            yield 1
        def plain():
            return 1
    """,
    "other.py": "def free():\n    return 1\n",
}


@pytest.mark.parametrize("begun", ["count()", "later()", "many()"])
def test_what_has_begun_keeps_its_code(warm: Warm, begun: str) -> None:
    tests = f"import numbers_, other\nIDS = numbers_.{begun}\ndef test_it(): assert numbers_.plain() == other.free()\n"
    runner = warm({**GENERATORS, "tests/test_it.py": tests}, args=("-W", "ignore"))
    assert runner.ask(open_suite("gold", limit_s=30, stays=True)) == ["ready"]
    for path, state in (("numbers_.py", "refused"), ("other.py", "ready")):
        text = (runner.root / path).read_text().replace("return 1", "return 2")
        opened = open_suite("bug", {path: text.encode()}, limit_s=30, of="gold")
        assert runner.ask(opened, close_suite("bug")) == [state, "closed"]


def test_a_module_with_another_name_keeps_its_code_and_is_watched(warm: Warm) -> None:
    tests = """
        import os, sys
        sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
        import thing
        def test_it(): assert thing.one() == 1
    """
    runner = warm({"lib/thing.py": "def one():\n    return 1\n", "tests/test_it.py": tests})
    collection, found = traced(runner)
    assert "lib/thing.py:0:<module>" in collection.code
    assert "lib/thing.py:1:one" in found["test_it"].code
    assert runner.ask(open_suite("gold", limit_s=30, stays=True)) == ["ready"]
    opened = open_suite("bug", {"lib/thing.py": b"def one():\n    return 2\n"}, limit_s=30, of="gold")
    assert runner.ask(opened, close_suite("bug")) == ["refused", "closed"]


def test_what_collecting_reads_and_starts_is_told(warm: Warm) -> None:
    tree = {"thing.py": "def one():\n    return 1\n", "data.txt": "1"}
    reads = (
        "import inspect, thing\nTEXT = inspect.getsource(thing.one)\nopen('data.txt').close()\ndef test_it(): pass\n"
    )
    collection, _ = traced(warm({**tree, "tests/test_it.py": reads}))
    assert {"thing.py", "data.txt"} <= collection.files
    assert not collection.hidden


def test_a_process_that_collecting_starts_hides_what_it_does(warm: Warm) -> None:
    starts = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])\ndef test_it(): pass\n"
    collection, _ = traced(warm({"tests/test_it.py": starts}))
    assert collection.hidden


def test_what_is_done_elsewhere_or_by_chance_is_hidden(warm: Warm) -> None:
    runner = warm(
        {
            "tests/test_hidden.py": """
                import multiprocessing
                import pytest
                def nothing(): pass
                def test_spawned():
                    each = multiprocessing.get_context("spawn").Process(target=nothing)
                    each.start()
                    each.join()
                def test_seen(): pass
                hypothesis = pytest.importorskip("hypothesis")
                @hypothesis.given(hypothesis.strategies.booleans())
                def test_drawn(value): pass
            """
        }
    )
    _, tests = traced(runner)
    assert {name: trace.hidden for name, trace in tests.items()} == {
        "test_spawned": True,
        "test_seen": False,
        "test_drawn": True,
    }
