"""Are impacted runs exact? A sample of candidates is run both ways, and what they would be judged to be compared."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

from swesmith_gym.errors import CandidateRejected
from swesmith_gym.executors import Executor
from swesmith_gym.harness.impact import Exactness, Impact
from swesmith_gym.harness.impacted import ImpactedRuns
from swesmith_gym.harness.runs import Files, FullRuns, Runs
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.validate import judge
from swesmith_gym.tasks import tree as trees

T = TypeVar("T")
MOST, LEAST = 20, 5
"""Candidates of a sample."""
BUDGET_S = 180.0
"""Full runs may take about this long altogether; a slow suite gets a smaller sample."""
SEED = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a candidate is judged to be, or why it is none."""

    reason: str = ""
    fail_to_pass: tuple[str, ...] = ()
    pass_to_pass: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    def __str__(self) -> str:
        lists = (("F2P", self.fail_to_pass), ("P2P", self.pass_to_pass), ("lost", self.lost))
        return self.reason or ", ".join(f"{len(tests)} {name}" for name, tests in lists)


def outcome(runs: Runs, files: Files) -> Outcome:
    """Run and judge one candidate's files. Raises: SandboxDied, OSError."""
    try:
        with runs.on(files) as attempt:
            report = attempt.report
        found = judge(report, runs.testbed, keep_collection_errors=False)
    except CandidateRejected as rejected:
        return Outcome(rejected.reason)
    return Outcome("", found.fail_to_pass, found.pass_to_pass, found.lost)


def difference(runs: Runs, full: FullRuns, files: Files) -> str:
    """How a candidate's judgement differs from that of a full run; empty where it does not, or where full runs differ
    among themselves, which tells nothing. Raises: as `outcome`."""
    one, other = outcome(runs, files), outcome(full, files)
    if one == other or other != outcome(full, files):
        return ""
    return f"{', '.join(files)}: impacted {one}; full {other}"


def measure(
    testbed: Testbed,
    impact: Impact,
    executor: Executor,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Impact:
    """The map with its exactness. `progress`: candidates run, of how many. Raises: SandboxError, OSError."""
    if impact.unfit:
        return impact
    runs, full = ImpactedRuns(testbed, impact), FullRuns(testbed)
    sample = _sample(runs, _size(testbed))
    differences: dict[int, str] = {}
    done = 0

    try:
        for each in executor.map(lambda files: difference(runs, full, files), sample):
            done += 1
            progress(done, len(sample))
            if each.value:
                differences[each.index] = each.value
    finally:
        runs.close()
    found = Exactness(len(sample), len(sample) - len(differences), tuple(differences[at] for at in sorted(differences)))
    return replace(impact, exactness=found)


def _sample(runs: ImpactedRuns, size: int) -> list[Files]:
    """So many candidates that reach a test, and as many others at most that come between them."""
    found: list[Files] = []
    reaching = 0
    for files in islice(_changes(runs.testbed), 2 * size):
        found.append(files)
        reaching += runs.reaches(files)
        if reaching == size:
            break
    return found


def _size(testbed: Testbed) -> int:
    return max(LEAST, min(MOST, int(BUDGET_S / max(testbed.image.suite_s, 0.1))))


def _changes(testbed: Testbed) -> Iterator[Files]:
    """Mutations of the pristine tree, one file and operator after the other, in random order."""
    rng = random.Random(f"{SEED}:{testbed.image.fingerprint}")
    language = testbed.language
    texts = trees.contents(testbed.pristine)
    paths = [path for path in texts if language.is_source(path) and not testbed.on_surface(path)]
    pools: dict[str, list[Files]] = {}
    for path in rng.sample(paths, len(paths)):
        pools[path] = _mutated(testbed, path, texts[path], rng)
    while any(pools.values()):
        for pool in _shuffled([pool for pool in pools.values() if pool], rng):
            yield pool.pop()


def _mutated(testbed: Testbed, path: str, data: bytes, rng: random.Random) -> list[Files]:
    try:
        found = list(testbed.language.mutations(path, data.decode(), rng))
    except (SyntaxError, UnicodeDecodeError):
        return []
    return [{path: each.source.encode()} for each in _shuffled(found, rng)]


def _shuffled(values: Sequence[T], rng: random.Random) -> list[T]:
    return rng.sample(values, len(values))
