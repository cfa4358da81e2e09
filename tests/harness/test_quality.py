"""The measures of a bug."""

from __future__ import annotations

import pytest
from samples import ABACUS, bug

from swesmith_gym.harness.impact import Impact
from swesmith_gym.harness.quality import quality
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.validate import buggy
from swesmith_gym.languages.base import TestTrace
from swesmith_gym.records import TaskQuality, Validation

pytestmark = [pytest.mark.sandbox, pytest.mark.network]
TEST = "tests/test_numbers.py::test_clamp[too low]"


def measured(testbed: Testbed, message: str, impact: Impact | None) -> TaskQuality:
    candidate = bug("src/abacus/numbers.py", "return low", "return high")
    found = Validation((TEST,), (), (), {TEST: message})
    return quality(candidate.bug_patch, buggy(candidate.bug_patch, testbed), found, testbed, impact)


def test_what_is_measured(abacus: Testbed) -> None:
    text = (ABACUS / "src/abacus/numbers.py").read_text().splitlines()
    line = next(at for at, each in enumerate(text, 1) if each.startswith("def clamp"))
    code = {f"src/abacus/numbers.py:{line}:clamp": 2}
    known = Impact(tests={TEST: TestTrace(code, frozenset(), False)})
    found = measured(abacus, "in clamp: assert 3 == 4", known)
    assert found.broken_share == round(1 / len(abacus.passing), 4)
    assert (found.edited_lines, found.edited_files, found.edited_hunks) == (2, 1, 1)
    assert (found.depth, found.names_function) == (2, True)
    silent = measured(abacus, "assert 3 == 4", None)
    assert (silent.depth, silent.names_function) == (None, False)
    assert found.difficulty is not None
    assert silent.difficulty is not None
    assert 0 < found.difficulty < silent.difficulty < 1
