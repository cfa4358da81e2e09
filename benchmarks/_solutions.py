"""From a task and a seed to an honest episode: a correct patch, how it is brought in, and what is done beside it. Not a
benchmark."""

from __future__ import annotations

import posixpath
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from _habits import HABITS, Habit
from _rewrites import REWRITES, Rewrite
from _source import Source

from swesmith_gym import diff
from swesmith_gym.records import TaskInstance
from swesmith_gym.tasks.sealing import buggy_files
from swesmith_gym.tasks.tree import Tree

Action = str | dict[str, Any]
Files = Mapping[str, bytes]
WAYS = ("the create tool", "git apply", "a script", "an edit by a tool", "a new file in its place")
"""How a text comes into the work tree."""


@dataclass(frozen=True, slots=True)
class Solution:
    """One honest episode."""

    task: TaskInstance
    rewrites: tuple[str, ...]
    habit: str
    way: str
    steps: tuple[Action, ...]
    files: Files
    """What the edit must have left in the work tree: relative path -> content."""


def solution(
    task: TaskInstance, pristine: Tree, rewrite: Rewrite | None, habit: Habit, rng: random.Random
) -> Solution | None:
    """The task's own fix, rewritten, sometimes twice; None where the rewriting does not fit."""
    buggy = {path: data for path, data in buggy_files(pristine, task.bug_patch).items() if data is not None}
    fixed = {path: pristine[path][1] for path in buggy}
    path = next((p for p in fixed if p.endswith(".py")), "")
    if not path:
        return None
    names: tuple[str, ...] = ()
    new: dict[str, bytes] = {}
    second = rng.choice(REWRITES) if rewrite and rng.random() < 0.3 else None
    for each in (rewrite, second):
        if each is None or each.__name__ in names:
            continue
        source = Source(fixed[path], path)
        found = each(source, _lines(buggy[path], fixed[path]), rng)
        changed = source.applied(found.edits) if found else None
        if found and changed != fixed[path] and not set(found.files) & (pristine.keys() | new.keys()):
            assert changed is not None
            Source(changed, path)  # it is still a program
            fixed[path], new, names = changed, {**new, **found.files}, (*names, each.__name__)
        elif each is rewrite:
            return None
    way = rng.choice(WAYS if _is_text(fixed[path]) else WAYS[2:3])
    edit = _steps(path, buggy, {**fixed, **new}, way)
    where = f"export FIXED={path} FOLDER={posixpath.dirname(path) or '.'}"
    steps = (where, *habit.before, *edit, *habit.after)
    return Solution(task, names, habit.name, way, steps, {path: fixed[path], **new})


def _is_text(data: bytes) -> bool:
    """Tools that take text keep it byte for byte."""
    return b"\r" not in data and not data.startswith(b"\xef\xbb\xbf")


def _lines(buggy: bytes, fixed: bytes) -> Sequence[int]:
    """Numbers of the lines of the fixed text that the fix is on."""
    before, after = buggy.decode("utf-8", "surrogateescape"), fixed.decode("utf-8", "surrogateescape")
    start, _, end = diff.changed_span(before, after)
    return range(after.count("\n", 0, start) + 1, after.count("\n", 0, end) + 2)


def _steps(path: str, buggy: Files, files: Files, way: str) -> Iterator[Action]:
    for name, data in files.items():
        text = data.decode("utf-8", "surrogateescape")
        if name not in buggy or way == WAYS[0]:
            yield {"tool": "create", "path": name, "file_text": text}
        elif way == WAYS[1]:
            change = diff.unified(name, buggy[name].decode("utf-8", "surrogateescape"), text)
            yield {"tool": "create", "path": "/tmp/edit.diff", "file_text": change}
            yield "git apply --whitespace=nowarn /tmp/edit.diff"
        elif way == WAYS[2]:
            yield {"tool": "create", "path": "/tmp/edit.py", "file_text": _script(name, data)}
            yield "python3 /tmp/edit.py"
        elif way == WAYS[3]:
            yield from _replacement(name, buggy[name].decode("utf-8", "surrogateescape"), text)
        else:
            yield {"tool": "create", "path": "/tmp/new.py", "file_text": text}
            yield f"rm -f {path} && mv /tmp/new.py {path}"


def _script(name: str, data: bytes) -> str:
    return f"import pathlib\npathlib.Path({name!r}).write_bytes(bytes.fromhex({data.hex()!r}))\n"


def _replacement(name: str, before: str, after: str) -> Iterator[Action]:
    """The smallest stretch of whole lines that occurs once."""
    start, end, new_end = diff.changed_span(before, after)
    while start and before.count(before[start:end] or "\0") != 1:
        start = before.rfind("\n", 0, start - 1) + 1
        step = before.find("\n", end)
        step = len(before) - end if step < 0 else step + 1 - end
        end, new_end = end + step, new_end + step
    yield {"tool": "str_replace", "path": name, "old_str": before[start:end], "new_str": after[start:new_end]}


def solutions(tasks: Sequence[TaskInstance], trees: Mapping[str, Tree], number: int, seed: int) -> Iterator[Solution]:
    """So many solutions, all rewritings and habits in turn, repositories too. Equal input, equal solutions."""
    repos = sorted({task.repo for task in tasks})
    for index in range(number):
        rng = random.Random(f"honest:{seed}:{index}")
        repo = repos[index % len(repos)]
        rewrite = REWRITES[index // len(repos) % len(REWRITES)]
        habit = HABITS[(index * 7 + index // len(HABITS)) % len(HABITS)]
        chosen = [task for task in tasks if task.repo == repo]
        rng.shuffle(chosen)
        found = (solution(task, trees[repo], rewrite, habit, rng) for task in chosen)
        yield next((each for each in found if each), None) or _plain(chosen[0], trees[repo], habit, rng)


def _plain(task: TaskInstance, pristine: Tree, habit: Habit, rng: random.Random) -> Solution:
    """The fix as it is: where a rewriting fits nothing in a repository."""
    found = solution(task, pristine, None, habit, rng)
    if found is None:
        raise ValueError(f"{task.instance_id}: its fix is in no Python file")
    return found
