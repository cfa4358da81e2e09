"""What the runner reports of ordinary test suites."""

from __future__ import annotations

import pytest

from swesmith_gym.records import Outcome, TestSetup

ALL_KINDS = {
    "tests/test_all.py": """
        import unittest, pytest

        @pytest.fixture
        def broken():
            raise RuntimeError("set-up")

        @pytest.fixture
        def breaks_after():
            yield
            raise RuntimeError("tear-down")

        def test_pass(): pass
        def test_fail(): assert 1 + 1 == 3
        def test_setup(broken): pass
        def test_teardown(breaks_after): pass
        def test_both(breaks_after): assert False, "call"
        def test_skip(): pytest.skip("why")
        @pytest.mark.xfail
        def test_xfail(): assert False
        @pytest.mark.xfail
        def test_xpass(): pass
        @pytest.mark.xfail(strict=True)
        def test_strict(): pass
        @pytest.mark.xfail(run=False)
        def test_not_run(): assert False
        @pytest.mark.parametrize("text", ["a b", "[x]", "a::b", "ü", ""])
        def test_text(text): assert text != "ü"
        class TestCase(unittest.TestCase):
            def test_unit(self): self.assertEqual(1, 1)
            def test_sub(self):
                for n in range(3):
                    with self.subTest(n=n):
                        self.assertNotEqual(n, 1)
            @unittest.expectedFailure
            def test_expected(self): self.fail()
    """
}


def test_every_outcome_under_its_exact_id(runner):
    found = runner(ALL_KINDS)
    outcomes = {test_id.split("::", 1)[1]: str(result.outcome) for test_id, result in found.results.items()}
    assert outcomes == {
        "test_pass": "passed",
        "test_fail": "failed",
        "test_setup": "error",
        "test_teardown": "error",
        "test_both": "failed",
        "test_skip": "skipped",
        "test_xfail": "xfailed",
        "test_xpass": "xpassed",
        "test_strict": "failed",
        "test_not_run": "xfailed",
        "test_text[a b]": "passed",
        "test_text[[x]]": "passed",
        "test_text[a::b]": "passed",
        "test_text[\\xfc]": "failed",
        "test_text[]": "passed",
        "TestCase::test_unit": "passed",
        "TestCase::test_sub": "failed",
        "TestCase::test_expected": "xfailed",
    }
    assert set(found.collected) == set(found.results)
    assert found.finished
    assert found.exit_code == 1


def test_a_failure_text_ends_with_the_test_and_its_values(runner):
    found = runner(ALL_KINDS)
    text = found.results["tests/test_all.py::test_text[\\xfc]"].message
    assert "E   AssertionError: assert 'ü' != 'ü'" in text
    assert text.splitlines()[-2:] == ["test: tests/test_all.py::test_text[\\xfc]", "with: text = 'ü'"]
    assert found.results["tests/test_all.py::test_pass"].message == ""


def test_long_failure_texts_keep_the_error_and_the_end(runner):
    found = runner({"test_a.py": "def test_a():\n    raise ValueError('start ' + 'x\\n' * 5000 + 'end')\n"})
    message = found.results["test_a.py::test_a"].message
    assert len(message) < 2200
    assert message.startswith("E   ValueError: start")
    assert "E   end" in message


def test_selected_tests_run_in_their_usual_order(runner):
    files = {"test_a.py": "def test_1(): pass\ndef test_2(): pass\n", "test_b.py": "def test_3(): pass\n"}
    found = runner(files, tests={"test_b.py::test_3", "test_a.py::test_1", "test_a.py::absent"})
    assert list(found.results) == ["test_a.py::test_1", "test_b.py::test_3"]
    assert found.collected == ("test_a.py::test_1", "test_a.py::test_2", "test_b.py::test_3")
    assert found.finished


def test_no_selected_test_is_a_finished_run(runner):
    found = runner({"test_a.py": "def test_1(): pass\n"}, tests=set())
    assert found.finished
    assert found.results == {}


def test_collect_only_runs_nothing(runner, tmp_path):
    found = runner({"test_a.py": "def test_1(): open('ran', 'w')\n"}, collect_only=True)
    assert found.collected == ("test_a.py::test_1",)
    assert found.results == {}
    assert found.finished
    assert not (tmp_path / "tree" / "ran").exists()


def test_a_module_that_cannot_be_collected_does_not_stop_the_others(runner):
    found = runner({"test_a.py": "import absent_module\n", "test_b.py": "def test_b(): pass\n"})
    assert list(found.broken_modules) == ["test_a.py"]
    assert "absent_module" in found.broken_modules["test_a.py"]
    assert found.results["test_b.py::test_b"].outcome == Outcome.PASSED
    assert found.finished


def test_a_broken_folder_breaks_every_file_below_it(runner):
    files = {
        "test_a.py": "def test_a(): pass\n",
        "sub/conftest.py": "1 / 0\n",
        "sub/test_b.py": "def test_b(): pass\n",
        "sub/deep/test_c.py": "def test_c(): pass\n",
    }
    found = runner(files)
    assert {"sub/test_b.py", "sub/deep/test_c.py"} <= set(found.broken_modules)
    assert "test_a.py" not in found.broken_modules
    assert found.finished


@pytest.mark.parametrize(
    ("files", "setup", "text"),
    [
        ({"conftest.py": "1 / 0\n"}, TestSetup(), "ZeroDivisionError"),
        ({}, TestSetup(args=("--no-such-option",)), "--no-such-option"),
        ({}, TestSetup(paths=("absent_folder",)), "absent_folder"),
        ({"conftest.py": "def pytest_collection(): raise RuntimeError('broken hook')\n"}, TestSetup(), "broken hook"),
    ],
)
def test_where_nothing_can_be_collected_all_is_broken(runner, files, setup, text):
    found = runner({"test_a.py": "def test_a(): pass\n", **files}, setup)
    assert text in found.broken_modules[""]
    assert found.results == {}
    assert found.finished


def test_what_failed_need_not_say_at_length_why(runner):
    code = "def inner(): raise ValueError('deep')\ndef test_a(): inner()\n"
    long, short = (runner({"test_a.py": code}, texts=texts).results["test_a.py::test_a"] for texts in (True, False))
    assert (str(long.outcome), str(short.outcome)) == ("failed", "failed")
    assert "def inner" in long.message
    assert "ValueError: deep" in short.message
    assert "inner()" not in short.message
