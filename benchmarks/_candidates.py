"""Procedural candidates of a testbed, for what measures them. Not a benchmark."""

from __future__ import annotations

from swesmith_gym.bugs.procedural import Procedural
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.pipeline.generation import ground_of
from swesmith_gym.records import BugCandidate


def candidates(testbed: Testbed, number: int, seed: int) -> list[BugCandidate]:
    """So many, spread over operators and files."""
    found = Procedural().candidates(ground_of(testbed), limit=number, seed=seed)
    return [each for each in found if isinstance(each, BugCandidate)]
