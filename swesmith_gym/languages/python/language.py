"""Python behind the language protocol: joins what the folder's modules do."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from swesmith_gym.languages.base import (
    BuildStep,
    Canaries,
    CollectionTrace,
    CpuLimits,
    FailureSummary,
    Files,
    HiddenTests,
    Language,
    Mutation,
    RunnerCommand,
    Surface,
    TestTrace,
)
from swesmith_gym.languages.python import changes, copies, originals
from swesmith_gym.languages.python.parsing import alone
from swesmith_gym.languages.python.testing import (
    awareness,
    canaries,
    clocks,
    excerpts,
    failures,
    hiding,
    ids,
    scripts,
    surface,
)
from swesmith_gym.languages.python.testing import report as testing_report
from swesmith_gym.languages.rewriting import Rewriting
from swesmith_gym.records import CodeEntity, RepoProfile, TestReport, TestSetup

BUILD_FILES = frozenset({"setup.py", "conftest.py", "noxfile.py", "tasks.py", "fabfile.py"})
BUILD_FOLDERS = frozenset(
    {"doc", "docs", "example", "examples", "benchmark", "benchmarks", "scripts", "tools", "build"}
)


class Python(Language):
    """CPython 3 with pytest. The interpreter may be older than the one that this package runs under."""

    name = "python"
    fence_names = ("py", "python3")
    runner_version = "1"
    tools = Path(__file__).parent / "testing" / "runner"
    copies = Path(copies.__file__)
    sandbox_env = {"PYTHONPYCACHEPREFIX": "/opt/bytecode", "VIRTUAL_ENV": "/opt/env"}  # noqa: RUF012
    seed_env = {"PYTHONDONTWRITEBYTECODE": ""}  # noqa: RUF012
    # At any hour one of the two zones has another day than UTC: a test that is named after the day is found out.
    other_env = ({"PYTHONHASHSEED": "1", "TZ": "AOE+12"}, {"PYTHONHASHSEED": "2", "TZ": "LINT-14"})

    def is_source(self, path: str) -> bool:
        """A `.py` file that is no build script, document or example."""
        parts = PurePosixPath(path).parts
        return path.endswith(".py") and parts[-1] not in BUILD_FILES and parts[0] not in BUILD_FOLDERS

    def entities(self, path: str, source: str) -> list[CodeEntity]:
        from swesmith_gym.languages.python.entities import entities

        return entities(path, source)

    def operator_names(self) -> tuple[str, ...]:
        from swesmith_gym.languages.python.operators import names

        return names()

    def mutations(
        self, path: str, source: str, rng: random.Random, operators: Collection[str] | None = None
    ) -> Iterator[Mutation]:
        from swesmith_gym.languages.python.operators import mutations

        return mutations(path, source, rng, operators)

    def equivalent(self, before: str, after: str) -> bool:
        from swesmith_gym.languages.python.equivalence import equivalent

        return equivalent(before, after)

    def syntax_error(self, source: str) -> str:
        from swesmith_gym.languages.python.equivalence import syntax_error

        return syntax_error(source)

    def rewritable(self, path: str, source: str) -> list[tuple[CodeEntity, int]]:
        from swesmith_gym.languages.python import rewriting

        return rewriting.rewritable(path, source)

    def entity_text(self, source: str, entity: CodeEntity, *, blanked: bool = False) -> str:
        from swesmith_gym.languages.python import rewriting

        return rewriting.entity_text(source, entity, blanked=blanked)

    def contexts(self, source: str, entity: CodeEntity, *, blanked: bool = False) -> tuple[str, ...]:
        from swesmith_gym.languages.python import rewriting

        return rewriting.contexts(source, entity, blanked=blanked)

    def rewritten(self, source: str, entity: CodeEntity, code: str, *, same_call: bool = False) -> Rewriting:
        from swesmith_gym.languages.python import rewriting

        return rewriting.rewritten(source, entity, code, same_call=same_call)

    def code_in(self, text: str) -> str:
        from swesmith_gym.languages.python import rewriting

        return rewriting.code_in(text)

    def holds_code(self, path: str) -> bool:
        return path.endswith((".py", ".pyi", ".pyx"))

    def copy_tokens(self, text: str, *, exact: bool) -> list[str]:
        return copies.tokens(text, exact)

    def copy_core(self, text: str) -> list[str]:
        with alone():
            return copies.core(text)

    def copy_shape(self, text: str) -> list[str]:
        with alone():
            return copies.shape(text)

    def may_be_copy(self, path: str) -> bool:
        return originals.may_be_copy(path)

    def second_copies(self, tree: Path, listing: Collection[str], place: Callable[[str], Path]) -> set[str]:
        own = [path.relative_to(tree).as_posix() for path in tree.rglob("*.py")]
        return originals.find(
            [path for path in own if self.is_source(path)],
            listing,
            lambda one, other: originals.alike(tree / one, place(other)),
        )

    def detect(self, tree: Path, *, interpreter: str = "", version: str = "", test_command: str = "") -> RepoProfile:
        from swesmith_gym.languages.python.detect import detect

        return detect(tree, interpreter=interpreter, version=version, test_command=test_command)

    def interpreter(self, tree: Path, wanted: str = "") -> str:
        from swesmith_gym.languages.python.detect import choose_python
        from swesmith_gym.languages.python.project.files import Project

        return choose_python(Project(tree), wanted)

    def from_commands(
        self,
        tree: Path,
        *,
        interpreter: str,
        install: Sequence[str],
        test_command: str,
        env: Mapping[str, str],
        version: str = "",
        locked: bool = True,
    ) -> RepoProfile:
        from swesmith_gym.languages.python import commands

        return commands.profile(
            tree,
            interpreter=interpreter,
            install=install,
            test_command=test_command,
            env=env,
            version=version,
            locked=locked,
        )

    def build_steps(self, profile: RepoProfile, *, lock: str, interpreter: str) -> list[BuildStep]:
        from swesmith_gym.languages.python.build import build_steps

        return build_steps(profile, lock=lock, interpreter=interpreter)

    def runner(
        self,
        setup: TestSetup,
        report: str,
        *,
        tests: Collection[str] | None = None,
        texts: bool = True,
        collect_only: bool = False,
        env: Mapping[str, str] | None = None,
        cpu_limits: CpuLimits | None = None,
        shuffle: int | None = None,
        left_out: Collection[str] = (),
    ) -> RunnerCommand:
        return testing_report.command(
            setup,
            report,
            tests=tests,
            texts=texts,
            collect_only=collect_only,
            env=env,
            cpu_limits=cpu_limits,
            shuffle=shuffle,
            left_out=left_out,
        )

    def warm_runner(self, setup: TestSetup, loaded: Collection[str]) -> RunnerCommand:
        return testing_report.warm_command(setup, loaded)

    def script(self, setup: TestSetup, code: str) -> RunnerCommand:
        return scripts.command(setup, code)

    def parse_traces(self, raw: bytes) -> tuple[dict[str, TestTrace], CollectionTrace | None]:
        return testing_report.traces(raw)

    def changed_code(self, path: str, before: str, after: str) -> frozenset[str] | None:
        return changes.changed_code(path, before, after)

    def without(self, test_id: str) -> tuple[str, ...]:
        return ("--deselect", test_id)

    def parse_report(
        self, raw: bytes, *, exit_code: int | None, timed_out: bool, duration_s: float, log: str
    ) -> TestReport:
        return testing_report.parse(raw, exit_code=exit_code, timed_out=timed_out, duration_s=duration_s, log=log)

    def module_of(self, test_id: str) -> str:
        return ids.module_of(test_id)

    def surface(self, files: Collection[str], setup: TestSetup, test_ids: Collection[str]) -> Surface:
        return surface.surface(files, setup, test_ids)

    def steers_tests(self, path: str) -> bool:
        return surface.steers_tests(path)

    def stands_in(self, path: str, setup: TestSetup) -> bool:
        """A module or package at the top that bears a plug-in's name: the tree comes first on the import path."""
        top = PurePosixPath(path).parts[0].removesuffix(".py")
        return any(top == name.split(".")[0] for name in setup.plugins)

    def hide_tests(
        self, files: Files, ids: Collection[str], all_ids: Collection[str], *, how: str, keep: Collection[str]
    ) -> HiddenTests:
        return hiding.hide(files, ids, all_ids, how=how, keep=keep)

    def canaries(self, files: Files, tests: Collection[str], known: Collection[str], rng: random.Random) -> Canaries:
        return canaries.plant(files, tests, known, rng)

    def looks_at_tests(self, before: Files, after: Files) -> tuple[str, ...]:
        return awareness.looks_at_tests(before, after)

    def reads_clock(self, files: Files, test_id: str) -> bool:
        return clocks.reads_clock(files, test_id)

    def test_source(self, files: Files, test_id: str) -> str:
        return hiding.test_source(files, test_id)

    def failure_summary(self, message: str) -> FailureSummary:
        return failures.summary(message)

    def needs_network(self, message: str) -> bool:
        return failures.needs_network(message)

    def test_topic(self, test_id: str) -> tuple[str, str]:
        return failures.topic(test_id)

    def reproduction(self, files: Files, summary: FailureSummary) -> str:
        return excerpts.reproduction(files, summary)
