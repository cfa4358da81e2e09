"""Procedural candidates of a testbed, for what measures them. Not a benchmark."""

from __future__ import annotations

from swesmith_gym.bugs.generate import generate
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import BugCandidate
from swesmith_gym.tasks import tree as trees


def candidates(testbed: Testbed, number: int, seed: int) -> list[BugCandidate]:
    """So many, spread over operators and files."""
    found = generate(
        "procedural",
        trees.contents(testbed.pristine),
        testbed.language,
        repo=testbed.image.repo,
        allowed=lambda path: not testbed.on_surface(path),
        limit=number,
        seed=seed,
    )
    return [each for each in found if isinstance(each, BugCandidate)]
