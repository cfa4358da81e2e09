"""A testbed: a built image together with the backend that runs it. What validation and grading work on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from swesmith_gym import languages
from swesmith_gym.languages.base import CpuLimits, Language
from swesmith_gym.records import EnvImage, FileChange, Outcome
from swesmith_gym.sandboxes.base import Sandbox, SandboxBackend, SandboxSpec
from swesmith_gym.tasks import tree as trees
from swesmith_gym.tasks.tree import Tree

_TEST_S, _TIMES = 2.0, 10.0
"""Processor time that a test may use: seconds, and multiples of its own wall time on the pristine tree."""
_UNKNOWN_S = 30.0
"""Of a test that the pristine tree does not have."""


@dataclass(frozen=True)
class Testbed:
    """Immutable and thread-safe; the pristine tree is read once, on first use."""

    __test__ = False

    image: EnvImage
    spec: SandboxSpec = field(repr=False)
    """Starts a sandbox on the pristine tree."""
    backend: SandboxBackend

    @property
    def language(self) -> Language:
        """The image's language."""
        return languages.get(self.image.language)

    @cached_property
    def pristine(self) -> Tree:
        """The pristine tree."""
        return trees.read(self.spec.tree)

    @cached_property
    def passing(self) -> frozenset[str]:
        """Ids that pass on the pristine tree and may count.

        Those that code off the test surface defines (doctests) may not: whoever edits the code edits the test.
        """
        return frozenset(
            test
            for test, result in self.image.baseline.items()
            if result.outcome is Outcome.PASSED
            and test not in self.image.quarantined
            and self.on_surface(self.language.module_of(test))
        )

    def part_of_passing(self, share: float | None) -> int | None:
        """So many of the passing tests, rounded down; None: `share` is None."""
        return None if share is None else int(share * len(self.passing))

    @cached_property
    def countable(self) -> frozenset[str]:
        """Ids that are collected in every baseline run."""
        return frozenset(t for t in self.image.baseline if self.image.quarantined.get(t) != "unstable_id")

    @cached_property
    def test_files(self) -> frozenset[str]:
        """Every file that tests were collected from."""
        return frozenset(map(self.language.module_of, self.image.baseline))

    @property
    def time_limit_s(self) -> float:
        """Limit for one run with a change in it: a multiple of the baseline's own time, plus slack.

        Wide, since a busy host must not turn a slow bug, or an honest solution, into an endless loop.
        """
        return min(self.image.test.timeout_s, 10 * self.image.suite_s + 15)

    def cpu_limits(self, tests: Collection[str] | None = None, alone_s: Mapping[str, float] | None = None) -> CpuLimits:
        """Limits for single tests with a bug in the tree, of the given ones or all: one that loops without end must not
        be waited for as long as the whole suite may take. `alone_s`: what tests take when none has run before them."""
        baseline, alone = self.image.baseline, alone_s or {}
        return CpuLimits(
            {
                test: _TEST_S + _TIMES * max(baseline[test].duration_s, alone.get(test, 0.0))
                for test in (baseline if tests is None else tests)
                if test in baseline
            },
            default=_UNKNOWN_S,
        )

    def on_surface(self, path: str) -> bool:
        """The path belongs to the test surface, or would if it were there."""
        image = self.image
        return (
            path in image.surface
            or any(path.startswith(root.rstrip("/") + "/") for root in image.surface_roots)
            or self.language.steers_tests(path)
            or (path not in self.pristine and self.language.stands_in(path, image.test))
        )

    def without(self, tests: Collection[str], reason: str) -> Testbed:
        """The same with more tests quarantined."""
        if not tests:
            return self
        more = {test: reason for test in tests if test not in self.image.quarantined}
        return replace(self, image=replace(self.image, quarantined={**self.image.quarantined, **more}))

    def start(self, files: dict[str, bytes | None] | None = None) -> Sandbox:
        """A fresh sandbox on the pristine tree with `files` written over it (None deletes). The caller closes it."""
        sandbox = self.backend.start(self.spec)
        if files:
            try:
                sandbox.apply(self.changes(files))
            except BaseException:
                sandbox.close()
                raise
        return sandbox

    def changes(self, files: dict[str, bytes | None]) -> tuple[FileChange, ...]:
        """`files` as changes that keep the modes of the pristine tree."""
        mode = {path: entry[0] for path, entry in self.pristine.items() if entry[0] != trees.LINK}
        return tuple(FileChange(path, data, mode.get(path, 0o644)) for path, data in sorted(files.items()))
