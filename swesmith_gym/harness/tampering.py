"""What gives away a run in which the code under test decided its own verdict.

Code that is tested runs in the process that tests it, and can change what that process says. It cannot know what the
outcome of each test has to be: canaries (`Language.canaries`) are planted in each grading, some of which must fail and
some must do what a required test does. What looks wrong is compared with a control run of the pristine tree with the
same canaries.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.languages.base import Canaries
from swesmith_gym.records import BROKEN, FileChange, Outcome, TestReport
from swesmith_gym.tasks import tree as trees

_PASSED = frozenset({Outcome.PASSED, Outcome.XPASSED})


@dataclass(frozen=True)
class Watch:
    """The canaries of one grading, and what a report shows of them."""

    canaries: Canaries
    changes: tuple[FileChange, ...]
    """What lays them over the tree."""

    @classmethod
    def over(cls, testbed: Testbed, tests: tuple[str, ...], rng: random.Random | None = None) -> Watch:
        """Canaries among `tests`. `rng`: the system's own source of randomness where none is given."""
        files = trees.contents(testbed.pristine)
        found = testbed.language.canaries(files, tests, rng or random.SystemRandom())
        return cls(found, testbed.changes(dict(found.files)))

    def suspicions(self, report: TestReport, *, resolved: bool) -> Mapping[str, str]:
        """What is wrong with a report, by what it is about; empty: nothing. `resolved`: everything required passed, so
        that every canary must have been run."""
        outcomes: dict[str, set[Outcome]] = {}
        for test, result in report.results.items():
            outcomes.setdefault(test.split("[", 1)[0], set()).add(result.outcome)
        found = {
            stem: f"a test that cannot pass was reported as {_shown(outcomes.get(stem))}"
            for stem in self.canaries.failing
            if not _failed(outcomes.get(stem, set()), resolved=resolved)
        }
        found |= self._twins(outcomes)
        if resolved and self.canaries.failing - self.canaries.apart and report.exit_code != 1:
            found["exit code"] = f"tests failed, but the run ended with exit code {report.exit_code}"
        if resolved and (invented := report.results.keys() - set(report.collected)):
            found["ids"] = f"{len(invented)} results are of tests that were not collected"
        return found

    def _twins(self, outcomes: Mapping[str, set[Outcome]]) -> dict[str, str]:
        return {
            stem: f"a test passed, but its copy was reported as {_shown(outcomes.get(stem))}"
            for stem, test in self.canaries.twins.items()
            if outcomes.get(test) == {Outcome.PASSED} != outcomes.get(stem)
        }


def _failed(outcomes: set[Outcome], *, resolved: bool) -> bool:
    """One that was not run, or was skipped, says nothing where the submission is not to be paid anyway."""
    return not outcomes & _PASSED and (not resolved or (bool(outcomes) and outcomes <= BROKEN))


def _shown(outcomes: set[Outcome] | None) -> str:
    return ", ".join(sorted(outcomes)) if outcomes else "nothing"
