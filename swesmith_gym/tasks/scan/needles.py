"""What the scan looks for: the text that a bug replaced and the tests that were taken out, as runs of tokens.

A run covers the changed tokens and some around them, and does not occur in the buggy file. Nothing is searched here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from swesmith_gym import patch
from swesmith_gym.languages.base import Language
from swesmith_gym.records import TaskInstance
from swesmith_gym.tasks.scan import functions
from swesmith_gym.tasks.scan.functions import SHORTEST
from swesmith_gym.tasks.tree import LINK, Tree

CONTEXT = (8, 16, 32, 64)
"""Tokens on either side of a change; more where fewer do not tell it from other code of the same tree."""
SHORTEST_TEST = 8
"""Tokens of a test without what is in front of its head at least: its name is one of them."""
LONGEST = 64
"""A change of more tokens is looked for by its two ends and its middle."""
MAX_SOURCE_BYTES = 2 << 20


@dataclass(frozen=True, slots=True)
class Needle:
    """One run of tokens."""

    kind: str
    """`code`: the original; `test`: a hidden test."""
    tokens: tuple[str, ...]
    exact: bool
    """Compared with brackets, commas and quotes."""
    where: str
    """`tree`: in the work tree only; `rest`: everywhere else; `all`."""


@dataclass(frozen=True, slots=True)
class Original:
    """The original of one changed file, or a file with hidden tests, for its byte code."""

    path: str
    source: str
    names: tuple[str, ...]
    """Functions or classes that the bug changed, `<module>` where it is in none; the hidden tests."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that is looked for on behalf of one task."""

    instance_id: str
    needles: tuple[Needle, ...]
    originals: tuple[Original, ...]
    lines: tuple[tuple[str, ...], ...]
    """Tokens of each changed line, original and buggy: in a diff of the file one is enough."""
    files: tuple[str, ...]
    """Changed files, relative paths."""
    shapes: tuple[tuple[str, tuple[str, ...]], ...]
    """(name, shape) of each changed function: what it is whatever its variables are called."""
    tests: tuple[tuple[str, str], ...]
    """FAIL_TO_PASS: (file, name of the function), each once."""
    words: tuple[str, ...]
    """What tells the task: its id."""


class Corpus:
    """The tokens of a tree, read once. Thread-safe: two readers do the same work."""

    def __init__(self, tree: Tree, language: Language) -> None:
        self._language = language
        self._texts = {
            path: data.decode("utf-8", "replace")
            for path, (mode, data) in tree.items()
            if mode != LINK and language.holds_code(path) and len(data) <= MAX_SOURCE_BYTES
        }
        self._joined: dict[tuple[str, bool], str] = {}

    def joined(self, path: str, exact: bool) -> str:
        """The tokens of one file as one text."""
        key = (path, exact)
        if key not in self._joined:
            self._joined[key] = join(self._language.copy_tokens(self._texts[path], exact=exact))
        return self._joined[key]

    def elsewhere(self, run: list[str], exact: bool, but: frozenset[str]) -> bool:
        """Another file than those holds the run."""
        text = join(run)
        return any(text in self.joined(path, exact) for path in self._texts if path not in but)


def join(tokens: list[str]) -> str:
    """Tokens as a text in which runs can be looked for."""
    return "\0" + "\0".join(tokens) + "\0"


def wanted(task: TaskInstance, pristine: Tree, sealed: Tree, corpus: Corpus, language: Language) -> Wanted:
    """What to look for on behalf of a task. Raises: PatchDoesNotApply."""
    needles: list[Needle] = []
    originals: list[Original] = []
    lines: dict[tuple[str, ...], None] = {}
    shapes: dict[tuple[str, tuple[str, ...]], None] = {}
    changed = [each for each in patch.parse(task.bug_patch) if each.before is not None]
    for each in changed:
        path = str(each.before)
        before = _text(pristine, path)
        after = _text(sealed, str(each.after)) if each.after else ""
        names: dict[str, None] = {}
        for start, old, new in _hunks(each, _lines(before)):
            first, last, replaced = _changed_lines(start, old, new)
            for line in (*old[first - start : last - start], *replaced):
                run = tuple(language.copy_tokens(line, exact=True))
                if len(run) >= 2:
                    lines[run] = None
            needles += _of_change(_Change(path, before, after, first, last), corpus, language)
            function = functions.innermost(language, path, before, after, (first + 1, max(first + 1, last)))
            names[function.name] = None
            needles += [Needle("code", run, False, "rest") for run in functions.runs(function, after, language)]
            shapes.update(dict.fromkeys(functions.shapes(function, language)))
        originals.append(Original(path, before, tuple(names)))
    needles += _of_tests(task, pristine, sealed, language)
    originals += _hidden(task, pristine, language)
    return Wanted(
        task.instance_id,
        tuple(dict.fromkeys(needles)),
        tuple(originals),
        tuple(lines),
        tuple(str(each.before) for each in changed),
        tuple(shapes),
        tuple(dict.fromkeys(_test(language, test) for test in task.FAIL_TO_PASS)),
        (task.instance_id,),
    )


@dataclass(frozen=True, slots=True)
class _Change:
    path: str
    before: str
    after: str
    first: int
    """First changed line of the original, counted from 0."""
    last: int
    """Behind the last one."""


def _of_change(change: _Change, corpus: Corpus, language: Language) -> Iterator[Needle]:
    """Runs around the change, loosely if that tells it from the bug, else exactly."""
    own = frozenset({change.path})
    lines = _lines(change.before)
    for exact in (False, True):
        ahead = language.copy_tokens("".join(lines[: change.first]), exact=exact)
        middle = language.copy_tokens("".join(lines[change.first : change.last]), exact=exact)
        behind = language.copy_tokens("".join(lines[change.last :]), exact=exact)
        buggy = join(language.copy_tokens(change.after, exact=exact))
        whole = ahead + middle + behind
        found = False
        for start, end in _parts(len(ahead), len(ahead) + len(middle)):
            runs = [whole[max(0, start - size) : end + size] for size in CONTEXT]
            telling = [run for run in runs if len(run) >= SHORTEST and join(run) not in buggy]
            if not telling:
                continue
            found = True
            alone = next((run for run in telling if not corpus.elsewhere(run, exact, own)), telling[-1])
            yield Needle("code", tuple(telling[0]), exact, "rest")
            yield Needle("code", tuple(alone), exact, "tree")
        if found:
            return


def _parts(start: int, end: int) -> list[tuple[int, int]]:
    if end - start <= LONGEST:
        return [(start, end)]
    middle = (start + end) // 2
    return [(start, start + 16), (middle - 8, middle + 8), (end - 16, end)]


def _of_tests(task: TaskInstance, pristine: Tree, sealed: Tree, language: Language) -> Iterator[Needle]:
    """The hidden tests' own text."""
    files: Mapping[str, bytes] = {path: entry[1] for path, entry in pristine.items() if entry[0] != LINK}
    seen: set[tuple[str, str]] = set()
    for test in task.FAIL_TO_PASS:
        key = _test(language, test)
        if key in seen or test not in task.hidden_tests:
            continue
        seen.add(key)
        run = language.copy_tokens(language.test_source(files, test), exact=False)
        kept = join(language.copy_tokens(_text(sealed, key[0]), exact=False))
        if len(run) >= SHORTEST and join(run) not in kept:
            yield Needle("test", tuple(run[: 4 * LONGEST]), False, "all")
        bare = run[run.index(key[1]) :] if key[1] in run else []
        if len(bare) >= SHORTEST_TEST and len(bare) < len(run) and join(bare) not in kept:
            yield Needle("test", tuple(bare[: 4 * LONGEST]), False, "all")


def _hidden(task: TaskInstance, pristine: Tree, language: Language) -> Iterator[Original]:
    tests = [_test(language, test) for test in task.FAIL_TO_PASS if test in task.hidden_tests]
    for path in dict.fromkeys(path for path, _ in tests):
        names = tuple(dict.fromkeys(name for file, name in tests if file == path))
        yield Original(path, _text(pristine, path), names)


def _test(language: Language, test: str) -> tuple[str, str]:
    """(file, function) of a test id."""
    path = language.module_of(test)
    rest = test[len(path) :]
    return path, (re.findall(r"\w+", rest.partition("[")[0]) or [PurePosixPath(path).stem])[-1]


def _text(tree: Tree, path: str) -> str:
    return tree[path][1].decode("utf-8", "replace") if path in tree else ""


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _hunks(file: patch.FilePatch, lines: list[str]) -> Iterator[tuple[int, list[str], list[str]]]:
    """(first line, old lines, new lines) of each hunk, where it is found in the original."""
    for hunk in file.hunks:
        old = [line.decode("utf-8", "replace") for line in hunk.old]
        places = [at for at in range(len(lines) - len(old) + 1) if lines[at : at + len(old)] == old]
        start = min(places, key=lambda at: abs(at - hunk.start), default=hunk.start)
        yield start, old, [line.decode("utf-8", "replace") for line in hunk.new]


def _changed_lines(start: int, old: list[str], new: list[str]) -> tuple[int, int, list[str]]:
    """(first, behind last, what stands there now) without the lines of context."""
    ahead = 0
    while ahead < min(len(old), len(new)) and old[ahead] == new[ahead]:
        ahead += 1
    behind = 0
    while behind < min(len(old), len(new)) - ahead and old[-1 - behind] == new[-1 - behind]:
        behind += 1
    return start + ahead, start + len(old) - behind, new[ahead : len(new) - behind]
