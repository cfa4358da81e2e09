"""Running tests in sandboxes: what a candidate breaks (validation) and what a submission is worth (grading)."""

from __future__ import annotations

from swesmith_gym.harness.grade import grade
from swesmith_gym.harness.run import run_tests
from swesmith_gym.harness.testbed import Testbed

__all__ = ["Testbed", "grade", "run_tests"]
