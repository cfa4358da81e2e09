"""Impact maps beside the images that they are of: `HOME/images/KEY/impact`. Made when they are needed first."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from swesmith_gym.executors import Executor
from swesmith_gym.harness import exactness, impact, watch
from swesmith_gym.harness.impact import Impact
from swesmith_gym.harness.impacted import ImpactedRuns
from swesmith_gym.harness.runs import FullRuns, Runs
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.home import write_atomic
from swesmith_gym.repos import images

_log = logging.getLogger("swesmith_gym")
Progress = Callable[[int, int, str], None]
"""Called with what is done, of how much, and a note."""


WORTH = 40
"""Candidates that are run in full sooner than a map is made for them: it takes about as long."""


_NOT_APART = "sandboxes of this backend share folders with their machine, or only one can be open"


def _apart(testbed: Testbed) -> bool:
    """Workers may empty the folders for scratch files, as a snapshot's restoring does, and several can be open."""
    found = testbed.backend.capabilities()
    return found.many and found.snapshots and found.network_isolation and found.process_isolation


def load(testbed: Testbed) -> Impact | None:
    """The map of an image; None: it has none yet, or one of another version."""
    path = images.folder(testbed.image.key) / "impact"
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=16)
def _read(path: Path, _mtime_ns: int) -> Impact:
    return impact.from_bytes(path.read_bytes())


def ensure(testbed: Testbed, executor: Executor, progress: Progress) -> Impact:
    """The map of an image, made now if need be: every test alone, and a sample of candidates both ways.

    Raises: SandboxError, OSError.
    """
    if not _apart(testbed):
        return Impact(unfit=_NOT_APART)
    found = load(testbed)
    if found is not None:
        return found
    found = watch.watch(testbed, executor, lambda done, of: progress(done, of, "test files watched"))
    trusted = testbed.without(found.order_dependent, "order")
    found = exactness.measure(trusted, found, executor, lambda done, of: progress(done, of, "bugs run both ways"))
    write_atomic(images.folder(testbed.image.key) / "impact", impact.to_bytes(found))
    return found


def for_many(testbed: Testbed, number: int, executor: Executor, progress: Progress) -> Impact | None:
    """The map that is there; else one made now, if there are candidates enough. Raises: as `ensure`."""
    found = load(testbed)
    return ensure(testbed, executor, progress) if found is None and number >= WORTH else found


def runs(
    testbed: Testbed,
    found: Impact | None,
    *,
    timeout_s: float | None,
    whole: bool,
    most_broken: float | None = None,
) -> Runs:
    """The fastest runs that are exact for this environment; without a map, full ones. The caller closes them.

    `timeout_s`, `whole`, `most_broken`: as in `ImpactedRuns`. A fall back to full runs is logged, with its reason.
    """
    if found is None:
        return FullRuns(testbed, timeout_s)
    trusted = testbed.without(found.order_dependent, "order")
    if refused := found.refused or ("" if _apart(testbed) else _NOT_APART):
        _log.warning("%s: every candidate is run in full: %s", testbed.image.key, refused)
        return FullRuns(trusted, timeout_s, found)
    return ImpactedRuns(trusted, found, timeout_s=timeout_s, whole=whole, most_broken=most_broken)
