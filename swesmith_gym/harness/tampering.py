"""What gives away a run in which the code under test decided its own verdict.

Code that is tested runs in the process that tests it, and can change what that process says. It cannot know what the
outcome of each test has to be: canaries (`Language.canaries`) are planted in each grading, some of which must fail and
some must do what a required test does. In a second run, required tests want something else than they do in the first:
whoever passes them there, too, passes whatever is wanted.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import BROKEN, FileChange, Outcome, TestReport
from swesmith_gym.tasks import tree as trees

_PASSED = frozenset({Outcome.PASSED, Outcome.XPASSED})


@dataclass(frozen=True)
class Watch:
    """What is planted in one run, what of the suite it leaves out, and what a report shows of it."""

    failing: Mapping[str, str]
    """Tests that no honest code passes which passes another one, beside it; empty: that no code passes. Both are ids,
    or names of tests for all of their cases."""
    twins: Mapping[str, str]
    """Copy -> test, both by name, without the case."""
    changes: tuple[FileChange, ...]
    """What lays them over the tree."""
    left_out: frozenset[str] = frozenset()
    """Test files that are not run: nothing that is graded can reach them."""

    def suspicions(self, report: TestReport, deciding: TestReport, *, resolved: bool) -> Mapping[str, str]:
        """What is wrong with a report, by what it is about; empty: nothing.

        `deciding`: the report that the verdict is made of. `resolved`: everything required passed in it, so that
        everything that is planted must have been run; else only what passed is to be believed or not.
        """
        outcomes, decided = _outcomes(report), _outcomes(deciding)
        found = {
            test: f"a test that cannot pass was reported as {_shown(outcomes.get(test))}"
            for test, other in self.failing.items()
            if (not other or decided.get(other) == {Outcome.PASSED})
            and not _failed(outcomes.get(test, set()), resolved=resolved)
        }
        found |= {
            copy: f"a test passed, but its copy was reported as {_shown(outcomes.get(copy))}"
            for copy, test in self.twins.items()
            if decided.get(test) == {Outcome.PASSED} != outcomes.get(copy)
        }
        if resolved and self.failing and report.exit_code != 1:
            found["exit code"] = f"tests failed, but the run ended with exit code {report.exit_code}"
        if resolved and (invented := report.results.keys() - set(report.collected)):
            found["ids"] = f"{len(invented)} results are of tests that were not collected"
        return found


def _failed(outcomes: set[Outcome], *, resolved: bool) -> bool:
    return not outcomes & _PASSED and (not resolved or (bool(outcomes) and outcomes <= BROKEN))


def watches(testbed: Testbed, tests: tuple[str, ...], rng: random.Random | None = None) -> tuple[Watch, Watch | None]:
    """Canaries for the run that decides on `tests`, and the same with decoys in their place for the second one; None:
    nothing that they want can be changed. `rng`: the system's own source of randomness where none is given."""
    found = testbed.language.canaries(
        trees.contents(testbed.pristine), tests, testbed.image.baseline, rng or random.SystemRandom()
    )
    first = Watch(found.failing, found.twins, testbed.changes(dict(found.files)))
    if not found.decoys:
        return first, None
    exchanged = {test: test for test in tests if _name(test) in found.decoys}
    return first, Watch({**found.failing, **exchanged}, found.twins, testbed.changes(dict(found.decoy_files)))


def _outcomes(report: TestReport) -> dict[str, set[Outcome]]:
    """By id, and by name of the test."""
    outcomes: dict[str, set[Outcome]] = {}
    for test, result in report.results.items():
        for key in {test, _name(test)}:
            outcomes.setdefault(key, set()).add(result.outcome)
    return outcomes


def _name(test: str) -> str:
    return test.split("[", 1)[0]


def _shown(outcomes: set[Outcome] | None) -> str:
    return ", ".join(sorted(outcomes)) if outcomes else "nothing"
