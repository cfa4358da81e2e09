"""The language protocol: all that is true of one programming language only, behind one door.

A language knows its syntax (entities, operators, equivalence), its packaging (detection, build steps) and its test
runner (command, report, test surface, hiding tests). Nothing outside its folder does. Everything here works on text and
bytes; nothing starts a process: what must run is given back as a command for a sandbox.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from swesmith_gym.languages.rewriting import Rewriter
from swesmith_gym.records import CodeEntity, RepoProfile, TestReport, TestSetup

Files = Mapping[str, bytes]
"""A tree, or a part of one: relative path -> content of a regular file."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """One edit by one operator, as a span of the original text."""

    path: str
    operator: str
    entity: CodeEntity
    source: str
    """The whole new text of the file; it differs from the old one inside the intended span only."""
    explanation: str
    """One sentence: what was changed."""


@dataclass(frozen=True, slots=True)
class BuildStep:
    """One command of a build, run in a sandbox with the tree writable at `/testbed`."""

    name: str
    """`resolve`, `create`, `dependencies`, `install`, ...: named in errors."""
    command: str
    network: bool = False
    stdin: bytes = b""
    advice: str = ""
    """What a user can try when it fails."""


@dataclass(frozen=True, slots=True)
class RunnerCommand:
    """How to run tests in a sandbox. The report appears at the path that was asked for."""

    command: str
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""


@dataclass(frozen=True, slots=True)
class CpuLimits:
    """Processor time that single tests may use, in seconds: the first that goes over its limit ends the run."""

    tests: Mapping[str, float]
    """Test id -> limit."""
    default: float
    """Of tests that are not named there."""


@dataclass(frozen=True, slots=True)
class TestTrace:
    """What one test did on the pristine tree, run alone in a fresh process."""

    __test__ = False

    code: Mapping[str, int]
    """Every piece of code of the tree that it entered, `PATH:LINE:NAME` -> how many calls of the tree's code lay
    between the test and the first entry."""
    files: frozenset[str]
    """Files of the tree that it read, other than by importing them."""
    hidden: bool
    """It did something that hides what it enters: it started a process, or watched itself."""


@dataclass(frozen=True, slots=True)
class CollectionTrace:
    """What collecting test files did, from the start of the process on."""

    code: frozenset[str]
    """As in `TestTrace`."""
    files: frozenset[str]
    """Files that it read, other than by importing them."""
    loaded: tuple[str, ...]
    """Modules from outside of the tree, in the order of their loading, for `Language.warm_runner`."""
    hidden: bool = False
    """As in `TestTrace`."""


@dataclass(frozen=True, slots=True)
class Surface:
    """The test surface: what a bug may not touch, an agent's changes to which are dropped, and grading restores."""

    files: tuple[str, ...]
    roots: tuple[str, ...]
    """Folders that hold tests only."""


@dataclass(frozen=True, slots=True)
class HiddenTests:
    """A tree with tests taken out. `files` holds the changed files only; None: the file was removed."""

    files: Mapping[str, bytes | None]
    ids: tuple[str, ...]
    """Every test id that is gone: those asked for and the others that the same code defines."""
    certain: bool = False
    """Every other test is collected as before, by the text alone: that need not be tried."""


@dataclass(frozen=True, slots=True)
class Canaries:
    """Tests whose outcome is known, laid over a tree's test files; named by id, without the case in brackets."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    """The whole new content of each file that holds some."""
    failing: Mapping[str, str] = field(default_factory=dict)
    """Those that no honest code passes which passes another test, named beside; empty: that no code passes."""
    twins: Mapping[str, str] = field(default_factory=dict)
    """Copy -> the test that it is a copy of: the outcomes are the same."""
    decoy_files: Mapping[str, bytes] = field(default_factory=dict)
    """The same files and more, in which tests are exchanged for decoys."""
    decoys: frozenset[str] = frozenset()
    """Names of the given tests that no code passes with the decoy files, if it does with the others."""


@dataclass(frozen=True, slots=True)
class FailureSummary:
    """One failure text, taken apart. Fields are empty where the text does not say."""

    exception: str = ""
    """Type of the error as the text names it."""
    message: str = ""
    """The error's own message, or the assertion that did not hold."""
    expected: str = ""
    """The value that the test wants."""
    actual: str = ""
    """The value that it got."""
    test_id: str = ""
    """Exact id of the test that failed."""
    line: str = ""
    """The statement of the test that failed, stripped."""
    values: tuple[tuple[str, str], ...] = ()
    """What the test was given: name, value as source text."""


class Language(Rewriter, ABC):
    """One language. Stateless; one instance per process, from `languages.get(name)`."""

    name: str
    fence_names: tuple[str, ...] = ()
    """What fenced blocks of its code are marked with in Markdown, besides its name."""
    runner_version: str
    """Part of every fingerprint: changes when the runner's behaviour does."""
    tools: Path
    """Host folder that every sandbox shows read-only at `/opt/runner`."""
    sandbox_env: Mapping[str, str] = {}
    """Variables of every sandbox of an image in this language."""
    seed_env: Mapping[str, str] = {}
    """Variables of the one test run of a build that may write byte code to `/opt/bytecode`."""
    other_env: tuple[Mapping[str, str], ...] = ()
    """Variables under which a test must do what it always does, a set for each run of a baseline that varies them."""
    copies: Path
    """Source of a Python module that needs the standard library only, and that the leak scan runs inside of a sandbox:
    `tokens(text, exact)`, `code_digests(source, names)`, `byte_code(data, names)`."""

    # Code

    @abstractmethod
    def is_source(self, path: str) -> bool:
        """The file is code of this language that a bug may be put in (by its name; the surface is judged elsewhere)."""

    @abstractmethod
    def entities(self, path: str, source: str) -> list[CodeEntity]:
        """Functions, methods and classes in order of appearance. Raises: SyntaxError."""

    @abstractmethod
    def operator_names(self) -> tuple[str, ...]:
        """Names of all operators, sorted."""

    @abstractmethod
    def mutations(
        self, path: str, source: str, rng: random.Random, operators: Collection[str] | None = None
    ) -> Iterator[Mutation]:
        """Mutations of one file: for each entity and fitting operator at most one, chosen by `rng`.

        The same seed gives the same mutations. None is a no-op, and each parses. Raises: SyntaxError.
        """

    @abstractmethod
    def equivalent(self, before: str, after: str) -> bool:
        """The two texts certainly behave alike (same byte code once positions are left out)."""

    @abstractmethod
    def syntax_error(self, source: str) -> str:
        """Why the text does not parse, or empty."""

    # Copies

    @abstractmethod
    def holds_code(self, path: str) -> bool:
        """The file is text of this language, by its name: tests, documents and scripts included."""

    @abstractmethod
    def copy_tokens(self, text: str, *, exact: bool) -> list[str]:
        """What a reformatted copy shares with its original: `tokens` of the module `copies`. Never raises."""

    @abstractmethod
    def copy_core(self, text: str) -> list[str]:
        """The same of what one function or class does, without its head and what documents it: `core`. Never raises."""

    @abstractmethod
    def copy_shape(self, text: str) -> list[str]:
        """What one function shares with a copy that has other names of variables: `shape`. Never raises."""

    @abstractmethod
    def may_be_copy(self, path: str) -> bool:
        """A file of this name can be a part of an installed package: `second_copies` wants to know of it."""

    @abstractmethod
    def second_copies(self, tree: Path, listing: Collection[str], place: Callable[[str], Path]) -> set[str]:
        """Files and folders that are copies of what the tree is imported as, in any version; archives that hold one.

        `listing`: files that `may_be_copy`, absolute as a sandbox shows them, `ARCHIVE!MEMBER` for one that is packed.
        `place`: where such a file lies on this host. The standard library is never among them.
        """

    # Building

    @abstractmethod
    def detect(self, tree: Path, *, interpreter: str = "", version: str = "", test_command: str = "") -> RepoProfile:
        """What the tree says of itself: a profile without name, source and hash.

        `interpreter`: a version to use instead of the best guess; `version`: the release, for trees that would ask
        git for it; `test_command`: how tests are run, instead of what is found.
        Raises: ProfileError (no tests, no package; `step="interpreter"`: the tree does not allow that one), InputError.
        """

    @abstractmethod
    def interpreter(self, tree: Path, wanted: str = "") -> str:
        """The version to use: `wanted` if the tree allows it, else the best guess. Raises: ProfileError, InputError."""

    @abstractmethod
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
        """A profile, without name, source and hash, of commands that somebody found by trying. `tree`: as fetched.

        `install`: run one after the other, each from the top of the work tree. `env`: variables of the test run.
        `version`: as in `detect`. `locked`: what only installs distributions becomes requirements, so that the lock
        holds them, where that can be done without guessing; else every command stays one.
        Raises: InputError, one line that says what is wrong with the commands.
        """

    @abstractmethod
    def build_steps(self, profile: RepoProfile, *, lock: str, interpreter: str) -> list[BuildStep]:
        """The commands that make `/opt/env` and install the tree. `lock`: text of the lock, or empty: the first
        steps then write a new one to `/opt/build/lock`. `interpreter`: its path inside the sandbox."""

    # Tests

    @abstractmethod
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
        """The one runner command. `tests`: exact ids to run out of all that are collected, in their usual order;
        None: all. `texts`: say at length why a test failed. `report`: path inside the sandbox where the structured
        report is to appear. `env`: added last. `shuffle`: seed of a random order. `left_out`: test files
        that are not looked at, where the set-up does not name them."""

    @abstractmethod
    def warm_runner(self, setup: TestSetup, loaded: Collection[str]) -> RunnerCommand:
        """A runner that stays, and forks for each run instead of starting anew. `loaded`: modules from outside of the
        tree to load ahead.

        Standard input goes on with one request a line, the path of a file that the runner removes, and each is answered
        by a line: lists of JSON objects, as `harness.worker` writes and reads them.
        """

    @abstractmethod
    def script(self, setup: TestSetup, code: str) -> RunnerCommand:
        """How a piece of code is run by itself, from the top of the work tree, under what tests are run under: exit
        code 0 where it came to its end. `code`: untrusted, and not looked at here."""

    @abstractmethod
    def parse_traces(self, raw: bytes) -> tuple[dict[str, TestTrace], CollectionTrace | None]:
        """What traced tests, or a traced collection, did: from the report of either. Never raises."""

    @abstractmethod
    def changed_code(self, path: str, before: str, after: str) -> frozenset[str] | None:
        """The innermost pieces of the pristine file's code that two texts differ in, as in `TestTrace.code`: whatever
        enters none of them behaves alike with both. None: that cannot be told."""

    @abstractmethod
    def without(self, test_id: str) -> tuple[str, ...]:
        """Arguments of the runner (`TestSetup.args`) that leave out one test, for good."""

    @abstractmethod
    def parse_report(
        self, raw: bytes, *, exit_code: int | None, timed_out: bool, duration_s: float, log: str
    ) -> TestReport:
        """Read what the runner wrote. Never raises: a torn or absent report gives `finished=False`."""

    @abstractmethod
    def module_of(self, test_id: str) -> str:
        """File that a test id belongs to, relative path."""

    @abstractmethod
    def surface(self, files: Collection[str], setup: TestSetup, test_ids: Collection[str]) -> Surface:
        """The test surface of a pristine tree, from its file names and its collected ids."""

    @abstractmethod
    def steers_tests(self, path: str) -> bool:
        """A file of this name changes how tests are run wherever it appears.

        Runner configuration, start-up hooks, byte code, stand-ins for the runner's own modules."""

    @abstractmethod
    def stands_in(self, path: str, setup: TestSetup) -> bool:
        """A new file of this name would be loaded in place of something that the runner needs (one of its plug-ins)."""

    @abstractmethod
    def hide_tests(
        self, files: Files, ids: Collection[str], all_ids: Collection[str], *, how: str, keep: Collection[str]
    ) -> HiddenTests:
        """Take tests out of a tree's test files. `how`: `functions` (the defining function or class member), `files`
        (whole modules) or `none`. `all_ids`: every id of the baseline. Files in `keep` are never touched."""

    @abstractmethod
    def canaries(self, files: Files, tests: Collection[str], known: Collection[str], rng: random.Random) -> Canaries:
        """Copies of some of `tests`, which are about to be run, tests that no honest code passes, and decoys in the
        place of `tests`; none where no text of them is found. `known`: ids of the whole suite; tests with many
        cases are spared where there are others. Other ones in each call."""

    @abstractmethod
    def looks_at_tests(self, before: Files, after: Files) -> tuple[str, ...]:
        """What code of `after` names of the test runner, or of the stack that it is called from, and did not before: a
        line each, with its path. Both: files off the test surface, `after` those changed (empty: deleted)."""

    @abstractmethod
    def reads_clock(self, files: Files, test_id: str) -> bool:
        """The text of a test measures time: whether it passes may hang on how busy the machine is."""

    @abstractmethod
    def test_source(self, files: Files, test_id: str) -> str:
        """Source text of the function that defines a test, dedented; empty where it cannot be found."""

    @abstractmethod
    def failure_summary(self, message: str) -> FailureSummary:
        """Take a failure's text (`TestResult.message`) apart. Never raises."""

    @abstractmethod
    def needs_network(self, message: str) -> bool:
        """A failure's text says that another machine could not be reached. Never raises."""

    @abstractmethod
    def test_topic(self, test_id: str) -> tuple[str, str]:
        """What a test is about by its names, in plain words: the area (its file), the case. Either may be empty."""

    @abstractmethod
    def reproduction(self, files: Files, summary: FailureSummary) -> str:
        """Code that shows the failure of `summary.test_id`, made from the test's source: what it imports, what it is
        given, what it does up to the statement that fails. Empty where the source cannot be found."""
