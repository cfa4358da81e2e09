"""The runner's command line, and its report turned into a `TestReport`."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from swesmith_gym.languages.base import CollectionTrace, CpuLimits, RunnerCommand, TestTrace
from swesmith_gym.records import Outcome, TestReport, TestResult, TestSetup

ROOT = "/testbed"
FIXED_ENV: Mapping[str, str] = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
    "PYTHONPYCACHEPREFIX": "/opt/bytecode",
    "TZ": "UTC",
}
"""Set in every run. A run that may write byte code sets `PYTHONDONTWRITEBYTECODE` to the empty string."""

COMMAND = 'PATH="/opt/env/bin:$PATH" exec /opt/env/bin/python /opt/runner/{}.py'
SCRATCH = ("/tmp", "/var/tmp", "/dev/shm", "~")
"""Folders of a sandbox that tests write to, besides the tree."""
LOG_CHARS = 4000
ADDRESS = re.compile(r"(?<= at )0x[0-9A-Fa-f]{6,}\b")
"""As Python shows an object without a text of its own."""
WHOLE_EXITS = frozenset({0, 1, 5})
"""Exit codes of a session that ran all that it selected."""
NOTHING_EXITS = frozenset({3, 4})
"""Internal and usage error: where nothing was collected, every file counts as broken."""


def command(
    setup: TestSetup,
    report: str,
    *,
    tests: Collection[str] | None,
    texts: bool = True,
    collect_only: bool,
    env: Mapping[str, str] | None,
    test_timeout_s: float | None = None,
    cpu_limits: CpuLimits | None = None,
    shuffle: int | None = None,
    left_out: Collection[str] = (),
    root: str = ROOT,
) -> RunnerCommand:
    """The one runner command; see `Language.runner`. `test_timeout_s`: limit of each phase of each test."""
    spec = {
        **_suite(setup, root),
        "report": report,
        "tests": None if tests is None else sorted(tests),
        "texts": texts,
        "collect_only": collect_only,
        "shuffle": shuffle,
        "left_out": sorted(left_out),
        "test_timeout_s": test_timeout_s,
        "cpu_limits": None if cpu_limits is None else asdict(cpu_limits),
    }
    return RunnerCommand(COMMAND.format("run"), _environment(setup, env), json.dumps(spec).encode())


def warm_command(
    setup: TestSetup, loaded: Collection[str], *, root: str = ROOT, scratch: Collection[str] = SCRATCH
) -> RunnerCommand:
    """The runner that stays; see `Language.warm_runner`. `scratch`: folders that are emptied of what tests leave."""
    spec = {**_suite(setup, root), "texts": True, "loaded": list(loaded), "scratch": list(scratch)}
    return RunnerCommand(COMMAND.format("warm"), _environment(setup, None), json.dumps(spec).encode() + b"\n")


def _suite(setup: TestSetup, root: str) -> dict[str, Any]:
    return {
        "root": root,
        "args": list(setup.args),
        "paths": list(setup.paths),
        "plugins": list(setup.plugins),
        "ignored_args": list(setup.ignored_args),
    }


def _environment(setup: TestSetup, env: Mapping[str, str] | None) -> dict[str, str]:
    return {**FIXED_ENV, **setup.env, **(env or {})}


@dataclass
class _Reading:
    """What the lines have said so far."""

    results: dict[str, TestResult] = field(default_factory=dict)
    collected: tuple[str, ...] = ()
    selected: int | None = None
    broken: dict[str, str] = field(default_factory=dict)
    duplicates: list[str] = field(default_factory=list)
    internal: str = ""
    exit: int | None = None
    slow: str = ""
    stopped: bool = False
    """On purpose, before the last test."""
    whole: bool = True


def parse(raw: bytes, *, exit_code: int | None, timed_out: bool, duration_s: float, log: str) -> TestReport:
    """Read a report; see `Language.parse_report`. Never raises."""
    reading = _Reading()
    for line in _lines(raw, reading):
        _take(reading, line)
        if not reading.whole:
            break
    for test_id in reading.duplicates:
        reading.results[test_id] = TestResult(Outcome.ERROR, 0.0, "more than one test has this id")
    _break_all(reading, log)
    return TestReport(
        results=reading.results,
        collected=reading.collected,
        broken_modules=reading.broken,
        finished=not timed_out and not reading.slow and exit_code is not None and _finished(reading),
        exit_code=exit_code,
        timed_out=timed_out or bool(reading.slow),
        duration_s=duration_s,
        log=log[-LOG_CHARS:],
        slow=reading.slow,
    )


def _lines(raw: bytes, reading: _Reading) -> Iterator[dict[str, Any]]:
    """Every whole line that is a JSON object, up to the first that is none; a torn last line is dropped."""
    for line in io.BytesIO(raw):
        if not line.endswith(b"\n"):
            return
        try:
            value = json.loads(line.decode())
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            reading.whole = False
            return
        yield value


def _take(reading: _Reading, line: Mapping[str, Any]) -> None:
    try:
        match line.get("t"):
            case "collected":
                reading.collected = tuple(str(test_id) for test_id in line["ids"])
                reading.selected = int(line["selected"])
            case "result":
                test_id = str(line["id"])
                if test_id in reading.results:
                    reading.duplicates.append(test_id)
                outcome = Outcome(line["outcome"])
                text, brief = _readable(line["text"]), bool(line.get("brief"))
                reading.results[test_id] = TestResult(outcome, float(line["s"]), text, brief)
            case "broken":
                reading.broken[str(line["path"])] = _readable(line["text"])
            case "duplicate":
                reading.duplicates.append(str(line["id"]))
            case "internal":
                reading.internal = _readable(line["text"])
            case "end":
                reading.exit = int(line["exit"])
            case "slow":
                reading.slow = _readable(line["id"])
            case "stopped":
                reading.stopped = True
            case "start" | "trace" | "collection":
                pass
            case _:
                reading.whole = False
    except (KeyError, TypeError, ValueError, OverflowError):
        reading.whole = False


def traces(raw: bytes) -> tuple[dict[str, TestTrace], CollectionTrace | None]:
    """What tests and their collection did; see `Language.parse_traces`. Never raises."""
    tests: dict[str, TestTrace] = {}
    collection = None
    for line in _lines(raw, _Reading()):
        try:
            if line.get("t") == "trace":
                entered = {str(key): int(depth) for key, depth in line["code"].items()}
                tests[str(line["id"])] = TestTrace(entered, frozenset(map(str, line["files"])), bool(line["hidden"]))
            elif line.get("t") == "collection":
                code, files = (frozenset(map(str, line[name])) for name in ("code", "files"))
                collection = CollectionTrace(code, files, tuple(map(str, line["loaded"])), bool(line["hidden"]))
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return tests, collection


def _readable(text: object) -> str:
    """Text that can be stored: half characters, which a test may well print, are written out; addresses of objects,
    which are others in each run, are not."""
    return ADDRESS.sub("0x...", str(text).encode("utf-8", "backslashreplace").decode())


def _break_all(reading: _Reading, log: str) -> None:
    if reading.exit in NOTHING_EXITS and not reading.collected:
        reading.broken[""] = reading.internal or reading.broken.get("") or log[-LOG_CHARS:]


def _finished(reading: _Reading) -> bool:
    """Every selected test has a result and the session said its end, or nothing could be collected at all."""
    if not reading.whole or reading.exit is None:
        return False
    if reading.exit in NOTHING_EXITS and not reading.collected:
        return True
    if reading.selected is None:
        return reading.exit in WHOLE_EXITS
    return reading.stopped or len(reading.results) >= reading.selected
