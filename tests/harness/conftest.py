"""What the harness's tests share."""

from __future__ import annotations

import pytest

from swesmith_gym.executors import LocalExecutor
from swesmith_gym.harness import watch
from swesmith_gym.harness.impact import Impact
from swesmith_gym.harness.testbed import Testbed


@pytest.fixture(scope="session")
def impact(abacus: Testbed) -> Impact:
    """The small package's impact map."""
    return watch.watch(abacus, LocalExecutor(2))
