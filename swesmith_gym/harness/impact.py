"""The impact map of an environment: which tests a change can reach, from what each test was seen to do.

Every test ran alone, in a fork of a process that had collected its file and nothing else. A change of a piece of code
reaches the tests that entered it, and all tests of the files that entered it while they were collected. A change of
another file reaches those that read it. What hides what it does is reached by every change.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from swesmith_gym.languages.base import CollectionTrace, Language, TestTrace
from swesmith_gym.records import Outcome, TestResult

VERSION = 3
Changes = Mapping[str, tuple[bytes | None, bytes | None]]
"""Path -> the file before and after."""


@dataclass(frozen=True, slots=True)
class Exactness:
    """How far impacted runs and full runs of a sample of candidates agreed."""

    candidates: int
    agreed: int
    differences: tuple[str, ...] = ()
    """One line for each that did not: which, and the two outcomes."""


@dataclass(frozen=True)
class Impact:
    """What an environment's tests do on its pristine tree. Immutable."""

    tests: Mapping[str, TestTrace] = field(default_factory=dict)
    """Every passing test that passes alone as well."""
    files: Mapping[str, CollectionTrace] = field(default_factory=dict)
    """Test file -> what collecting it alone did."""
    collecting: frozenset[str] = frozenset()
    """Code that collecting the whole suite enters, and files that it reads; none where that cannot be told."""
    loaded: tuple[str, ...] = ()
    """Modules from elsewhere that the whole suite loads."""
    order_dependent: tuple[str, ...] = ()
    """Tests that pass in the suite and not alone."""
    cpu_s: Mapping[str, float] = field(default_factory=dict)
    """Processor time of each test alone, tracing and fork included: an upper bound."""
    unfit: str = ""
    """Why impacted runs cannot be used here at all; empty: they can."""
    exactness: Exactness | None = None
    """None: not measured."""

    @property
    def refused(self) -> str:
        """Why every candidate has to be run in full; empty: it has not."""
        if self.unfit:
            return self.unfit
        if self.exactness is None or not self.exactness.candidates:
            return "its exactness was not measured"
        if self.exactness.agreed < self.exactness.candidates:
            return f"impacted and full runs differed: {self.exactness.differences[0]}"
        return ""

    @cached_property
    def _by_code(self) -> dict[str, set[str]]:
        """Code -> tests that a change of it reaches."""
        return self._reached_by(lambda trace: trace.code)

    @cached_property
    def _by_file(self) -> dict[str, set[str]]:
        """File -> tests that read it, or whose collection does."""
        return self._reached_by(lambda trace: trace.files)

    def _reached_by(self, names: Callable[[TestTrace | CollectionTrace], Iterable[str]]) -> dict[str, set[str]]:
        """Name -> tests in whose trace it is, or in that of their file's collection."""
        found: dict[str, set[str]] = defaultdict(set)
        for test, trace in self.tests.items():
            for name in names(trace):
                found[name].add(test)
        for path, collection in self.files.items():
            for name in names(collection):
                found[name] |= self._tests_of.get(path, set())
        return dict(found)

    @cached_property
    def _tests_of(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for test in self.tests:
            found[self._file_of(test)].add(test)
        return dict(found)

    def _file_of(self, test: str) -> str:
        return next((path for path in self.files if test.startswith(f"{path}::")), "")

    @cached_property
    def _hidden(self) -> frozenset[str]:
        return frozenset(test for test, trace in self.tests.items() if trace.hidden)

    def unknown(self, baseline: Mapping[str, TestResult]) -> frozenset[str]:
        """Tests that run and of which nothing is told: no change is known not to reach them."""
        return frozenset(
            test
            for test, result in baseline.items()
            if test not in self.tests and result.outcome is not Outcome.SKIPPED
        )

    def exchangeable(self, changes: Changes, language: Language) -> bool:
        """Nothing that has to do with the changes has run, once the whole suite is collected."""
        for path, (before, after) in changes.items():
            code = changed_code(path, before, after, language)
            if code is None or path in self.collecting or not code.isdisjoint(self.collecting):
                return False
        return bool(self.collecting)

    def reached(self, changes: Changes, language: Language) -> frozenset[str] | None:
        """Tests that changes of files can reach; None: any of them."""
        found = set(self._hidden)
        for path, (before, after) in changes.items():
            if before == after:
                continue
            code = changed_code(path, before, after, language)
            if code is None:
                return None
            found |= self._by_file.get(path, set())
            for each in code:
                found |= self._by_code.get(each, set())
        return frozenset(found)

    def depth(self, test: str, code: Iterable[str]) -> int | None:
        """Calls of the tree's code between a test and the nearest of these pieces; None: it enters none of them."""
        entered = self.tests[test].code if test in self.tests else {}
        return min((entered[each] for each in code if each in entered), default=None)

    def files_touched_by(self, paths: Iterable[str]) -> frozenset[str]:
        """Test files whose collection has to do with these files: they are it, or it enters or reads them."""
        wanted = set(paths)
        return frozenset(
            path
            for path, collection in self.files.items()
            if path in wanted
            or not wanted.isdisjoint(collection.files)
            or any(code.split(":", 1)[0] in wanted for code in collection.code)
        )


def changed_code(path: str, before: bytes | None, after: bytes | None, language: Language) -> frozenset[str] | None:
    """`Language.changed_code` of a file; None also where it is no source, made, deleted, or no text."""
    if before is None or after is None or not language.is_source(path):
        return None
    try:
        return language.changed_code(path, before.decode(), after.decode())
    except UnicodeDecodeError:
        return None


def to_bytes(impact: Impact) -> bytes:
    """Compressed JSON that `from_bytes` reads back; names of code and files are kept once."""
    names = sorted(
        {name for trace in impact.tests.values() for name in (*trace.code, *trace.files)}
        | {name for each in impact.files.values() for name in (*each.code, *each.files)}
        | impact.collecting
    )
    number = {name: at for at, name in enumerate(names)}
    data = {
        "version": VERSION,
        "names": names,
        "tests": {
            test: [
                [number[name] for name in trace.code],
                list(trace.code.values()),
                sorted(number[name] for name in trace.files),
                int(trace.hidden),
            ]
            for test, trace in impact.tests.items()
        },
        "files": {
            path: [sorted(number[name] for name in each.code), sorted(number[name] for name in each.files)]
            for path, each in impact.files.items()
        },
        "collecting": sorted(number[name] for name in impact.collecting),
        "loaded": list(impact.loaded),
        "order_dependent": list(impact.order_dependent),
        "cpu_s": dict(impact.cpu_s),
        "unfit": impact.unfit,
        "exactness": None if impact.exactness is None else _exactness(impact.exactness),
    }
    return zlib.compress(json.dumps(data, separators=(",", ":")).encode(), 6)


def _exactness(found: Exactness) -> dict[str, Any]:
    return {"candidates": found.candidates, "agreed": found.agreed, "differences": list(found.differences)}


def from_bytes(raw: bytes) -> Impact:
    """Raises: ValueError (not what `to_bytes` wrote)."""
    try:
        data = json.loads(zlib.decompress(raw))
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']} of an impact map, {VERSION} is known")
        names = data["names"]
        tests = {
            test: TestTrace(
                {names[at]: depth for at, depth in zip(code, depths, strict=True)},
                frozenset(names[at] for at in read),
                bool(hidden),
            )
            for test, (code, depths, read, hidden) in data["tests"].items()
        }
        files = {
            path: CollectionTrace(frozenset(names[at] for at in code), frozenset(names[at] for at in read), ())
            for path, (code, read) in data["files"].items()
        }
        exact = data["exactness"]
        return Impact(
            tests=tests,
            files=files,
            collecting=frozenset(names[at] for at in data["collecting"]),
            loaded=tuple(data["loaded"]),
            order_dependent=tuple(data["order_dependent"]),
            cpu_s=data["cpu_s"],
            unfit=data["unfit"],
            exactness=exact and Exactness(exact["candidates"], exact["agreed"], tuple(exact["differences"])),
        )
    except (zlib.error, KeyError, TypeError, IndexError) as error:
        raise ValueError(f"not an impact map: {error}") from error
