"""Where an installer works: the tree as fetched and an empty environment, in a sandbox as a build has it.

`/testbed` and `/opt/env` are writable and the package index is all that can be reached. Whatever becomes of them is
thrown away: only the proposal is taken, and what our own runner reported of the environment that it is said to make.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from swesmith_gym import visible
from swesmith_gym.errors import InputError, ProfileError
from swesmith_gym.harness.run import run_tests
from swesmith_gym.languages.base import BuildStep
from swesmith_gym.records import ExecResult, Outcome, TestReport, TestSetup
from swesmith_gym.repos import baseline, interpreters, proposals, steps
from swesmith_gym.repos.interpreters import Interpreter
from swesmith_gym.repos.proposals import Proposal
from swesmith_gym.repos.steps import Work
from swesmith_gym.repos.transcripts import Transcript
from swesmith_gym.sandboxes.base import Sandbox

COMMAND_S = 900.0
"""Time that one command may take, in seconds."""
TOTAL_S = 3 * 3600.0
"""Time that all of the work may take, in seconds."""
TEST_RUNS = 2
"""A test that does not do the same in each does not count."""
_LOG_CHARS = 6000
FETCHED = "fetched"
"""The tree as fetched, below the folder that the site works in: whoever makes the site writes it."""


@dataclass(frozen=True, slots=True)
class About:
    """What an installer is told."""

    source: str
    language: str
    version: str
    """Of the release, where one is known."""
    reason: str
    """Why detection, or the build that came of it, has failed: one line."""
    log: str = ""
    """The end of what that printed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What our runner found of an environment: all that is believed of it."""

    passing: frozenset[str]
    """Test ids that passed in every run."""
    aside: frozenset[str] = frozenset()
    """Test ids whose runs differed."""


class Site:
    """One installer's place of work. Made and closed by `repos.installing`; used by one thread."""

    def __init__(
        self,
        work: Work,
        about: About,
        transcript: Transcript,
        *,
        total_s: float = TOTAL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises: ProfileError (the interpreter makes no environment), SandboxError."""
        self.about = about
        self.transcript = transcript
        self._work, self._clock = work, clock
        self._end = clock() + total_s
        self._accepted: tuple[Proposal, Shown] | None = None
        self._tree = work.where / FETCHED
        self._sandbox = self._fresh()

    @property
    def python(self) -> str:
        """Version of the interpreter that the environment was made with, `X.Y`."""
        return self._work.interpreter.minor

    @property
    def pythons(self) -> tuple[str, ...]:
        """Versions that the environment can be made with."""
        return tuple(self._here())

    def run(self, command: str, *, timeout_s: float = COMMAND_S) -> ExecResult:
        """Run a command in a fresh shell in `/testbed`; nothing that it starts outlives it, but for files.

        Raises: ProfileError (the time for all of the work is over), SandboxDied, ValueError (NUL byte).
        """
        left = self._left()
        self._accepted = None
        self._work.order.say(f"agent: {visible.line(command)}")
        done = self._sandbox.run(command, timeout_s=min(timeout_s, left))
        self.transcript.note(
            "command",
            command=command,
            exit_code=done.exit_code,
            timed_out=done.timed_out,
            output=(done.stdout + done.stderr).decode(errors="replace"),
        )
        return done

    def try_out(self, proposal: Proposal) -> str:
        """Run the tests as proposed, in the environment as it is, through our runner. Gives what is wrong; empty: good.

        A proposal with another interpreter makes the environment anew with that one, empty again.
        Raises: ProfileError (the time for all of the work is over), SandboxError.
        """
        self._left()
        self._accepted = None
        passed = 0
        try:
            wrong = self._other_python(proposal)
            if not wrong:
                shown = self._measured(proposal)
                self._accepted, passed = (proposal, shown), len(shown.passing)
        except (InputError, ProfileError) as error:
            log = getattr(error, "log", "").strip()[-_LOG_CHARS:]
            wrong = f"{error}\n{log}" if log else str(error)
        self.transcript.note("answer", **asdict(proposal), wrong=wrong, passed=passed)
        said = f"refused: {visible.line(wrong)}" if wrong else f"{passed} tests pass"
        self._work.order.say(f"agent: its answer is tried: {said}")
        return wrong

    def shown(self, proposal: Proposal) -> Shown:
        """What our runner found of the environment as it is now. Raises: ProfileError (it is no good), SandboxError."""
        if self._accepted is None or self._accepted[0] != proposal:
            wrong = self.try_out(proposal)
            if self._accepted is None:
                raise ProfileError(f"the agent's own environment is no good: {visible.line(wrong, 300)}", step="agent")
        return self._accepted[1]

    def close(self) -> None:
        """End the sandbox. Idempotent."""
        self._sandbox.close()

    def _left(self) -> float:
        left = self._end - self._clock()
        if left <= 0:
            raise ProfileError("the time for the agent is over, and it has not come to an answer", step="agent")
        return left

    def _here(self) -> dict[str, Interpreter]:
        return {**interpreters.installed(self._work.root_fs), self.python: self._work.interpreter}

    def _fresh(self) -> Sandbox:
        """The tree as fetched, and an empty environment."""
        steps.lay_out(self._work)
        sandbox = self._work.backend.start(steps.workbench(self._work))
        try:
            steps.run(self._work, sandbox, self._step("create"))
        except BaseException:
            sandbox.close()
            raise
        return sandbox

    def _step(self, name: str) -> BuildStep:
        order = self._work.order
        found = order.language.build_steps(order.profile, lock="-", interpreter=self._work.interpreter.path)
        return next(step for step in found if step.name == name)

    def _other_python(self, proposal: Proposal) -> str:
        """Make the environment anew where another interpreter is wanted, and say so."""
        proposals.check(proposal)
        if proposal.python == self.python:
            return ""
        here = self._here()
        if proposal.python not in here:
            return f"Python {proposal.python} is not here; there are: {', '.join(here)}"
        self._sandbox.close()
        for name in steps.FOLDERS:
            self._work.backend.remove_tree(self._work.where / name)
        self._work.interpreter = here[proposal.python]
        self._sandbox = self._fresh()
        return (
            f"the environment has been made anew with Python {self.python}: nothing is installed in it, and /testbed "
            "is as it was at first; run what is needed there, and answer again"
        )

    def _measured(self, proposal: Proposal) -> Shown:
        language = self._work.order.language
        test = proposals.candidates(language, self._tree, proposal, self.about.version)[0].test
        steps.run(self._work, self._sandbox, self._step("describe"))
        setup = steps.completed(test, steps.described(self._sandbox))
        reports = [self._report(setup) for _ in range(TEST_RUNS)]
        found = baseline.combine(reports, ["flaky"] * TEST_RUNS, language.needs_network)
        baseline.check(found, language.module_of)
        passed = {test for test, result in found.results.items() if result.outcome is Outcome.PASSED}
        return Shown(frozenset(passed - found.quarantined.keys()), frozenset(found.quarantined))

    def _report(self, setup: TestSetup) -> TestReport:
        report = run_tests(self._sandbox, self._work.order.language, setup)
        baseline.check_end(report, setup)
        return replace(report, log="")
