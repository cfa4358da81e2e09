"""Making an impact map: every test file is collected alone, and each of its tests runs alone in a fork of that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

from swesmith_gym.errors import SandboxDied
from swesmith_gym.executors import Executor
from swesmith_gym.harness.impact import Impact
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.worker import NotWarm, Worker, WorkerLost, Workers, close_suite, open_suite, run_suite
from swesmith_gym.languages.base import CollectionTrace, CpuLimits, TestTrace
from swesmith_gym.records import Outcome

CHUNK = 64
"""Tests of one request."""
COLLECT_S = 120.0
ALONE_S = 10.0
"""Wall time that a test may take alone, beyond ten times its own."""
_NO_LIMITS = CpuLimits({}, 600.0)


@dataclass(frozen=True, slots=True)
class _FileSeen:
    collection: CollectionTrace
    tests: dict[str, TestTrace]
    cpu_s: dict[str, float]
    failing: tuple[str, ...]
    """Tests that did not pass alone."""


def watch(testbed: Testbed, executor: Executor, progress: Callable[[int, int], None] = lambda done, of: None) -> Impact:
    """The map of a built environment. `progress`: test files seen, of how many. Raises: SandboxError."""
    try:
        whole = _whole(testbed)
    except WorkerLost as reason:
        return Impact(unfit=_why(reason))
    workers = Workers(testbed, whole.loaded)
    files: dict[str, _FileSeen] = {}
    names = sorted(_tests_by_file(testbed))
    try:
        for done in executor.map(lambda name: _seen(testbed, workers, name), names):
            if isinstance(done.value, str):
                return Impact(unfit=done.value)
            files[names[done.index]] = done.value
            progress(len(files), len(names))
    finally:
        workers.close()
    return Impact(
        tests=dict(sorted((test, trace) for seen in files.values() for test, trace in seen.tests.items())),
        files={name: files[name].collection for name in names},
        collecting=frozenset() if whole.hidden else whole.code | whole.files,
        loaded=whole.loaded,
        order_dependent=tuple(sorted(test for seen in files.values() for test in seen.failing)),
        cpu_s={test: cpu_s for name in names for test, cpu_s in files[name].cpu_s.items()},
    )


def _why(reason: WorkerLost) -> str:
    if isinstance(reason, NotWarm):
        return f"the test runner itself needs the module {reason} of the work tree"
    return f"the runner that stays does not work here: {reason}"


def _whole(testbed: Testbed) -> CollectionTrace:
    """What collecting the whole suite does. What it loads from elsewhere is told where a runner may load it ahead.

    Raises: NotWarm, WorkerLost.
    """
    worker = Worker.start(testbed)
    try:
        opened = open_suite("all", limit_s=COLLECT_S, trace=True)
        worker.ask(opened, close_suite("all"))
        _, collection = testbed.language.parse_traces(worker.read(opened["report"]))
    finally:
        worker.close()
    if collection is None:
        raise WorkerLost("the suite was not collected")
    try:
        Worker.start(testbed, collection.loaded).close()
    except NotWarm:  # one of them loads a module of the tree
        return replace(collection, loaded=())
    return collection


def _tests_by_file(testbed: Testbed) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for test in testbed.image.baseline:
        found.setdefault(testbed.language.module_of(test), [])
        if test in testbed.passing:
            found[testbed.language.module_of(test)].append(test)
    return {name: tests for name, tests in found.items() if tests}


def _seen(testbed: Testbed, workers: Workers, name: str) -> _FileSeen | str:
    """One test file; a text: why that cannot be."""
    tests = _tests_by_file(testbed)[name]
    for _ in range(2):
        try:
            with workers.one() as worker:
                return _seen_by(worker, testbed, name, tests)
        except (WorkerLost, SandboxDied) as error:
            lost = error
    return f"{name} cannot be watched: {lost}"


def _seen_by(worker: Worker, testbed: Testbed, name: str, tests: list[str]) -> _FileSeen:
    others = testbed.test_files - {name}
    opened = open_suite(name, left_out=others, limit_s=COLLECT_S, trace=True)
    answer = worker.ask(opened)[0]
    _, collection = testbed.language.parse_traces(worker.read(opened["report"]))
    if answer["state"] != "ready" or collection is None:
        worker.ask(close_suite(name))
        raise WorkerLost("it is not collected alone")
    traces: dict[str, TestTrace] = {}
    cpu_s: dict[str, float] = {}
    failing: list[str] = []
    for chunk in _chunks(tests):
        passed, seen, spent = _alone(worker, testbed, name, chunk, trace=True)
        again = [test for test in chunk if test not in passed]
        if again:  # being watched may itself be what a test fails of
            passed |= _alone(worker, testbed, name, again, trace=False)[0]
        failing += [test for test in chunk if test not in passed]
        for test in passed:
            traces[test] = seen.get(test) or TestTrace({}, frozenset(), hidden=True)
            if collection.hidden:
                traces[test] = replace(traces[test], hidden=True)
        cpu_s |= spent
    worker.ask(close_suite(name))
    return _FileSeen(collection, traces, cpu_s, tuple(failing))


def _alone(
    worker: Worker, testbed: Testbed, name: str, tests: list[str], *, trace: bool
) -> tuple[set[str], dict[str, TestTrace], dict[str, float]]:
    """(those that passed, what they did, processor time of each fork) of tests run each in a fork of its own."""
    slowest = max(testbed.image.baseline[test].duration_s for test in tests)
    step = run_suite(name, tests, _NO_LIMITS, limit_s=ALONE_S + 10 * slowest, each=True, trace=trace)
    answer = worker.ask(step)[0]
    if answer["state"] not in ("done", "timeout"):
        raise WorkerLost(f"its tests end as {answer['state']}")
    ran = worker.ran(step, answer)
    report = testbed.language.parse_report(ran.reports[0], exit_code=0, timed_out=False, duration_s=0.0, log="")
    passed = {test for test in tests if test in report.results and report.results[test].outcome is Outcome.PASSED}
    traces, _ = testbed.language.parse_traces(ran.reports[0])
    return passed, traces, dict(zip(tests, ran.cpu_s, strict=False))


def _chunks(tests: Collection[str]) -> Iterator[list[str]]:
    rest = list(tests)
    for at in range(0, len(rest), CHUNK):
        yield rest[at : at + CHUNK]
