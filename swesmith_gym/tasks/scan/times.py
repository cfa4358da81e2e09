"""Does anything but its text tell the file that was edited? Time stamps, inodes, devices, the form of the edit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from swesmith_gym import patch
from swesmith_gym.languages.base import Language
from swesmith_gym.records import TaskInstance
from swesmith_gym.sandboxes.base import WORKDIR
from swesmith_gym.tasks.scan.findings import Finding
from swesmith_gym.tasks.scan.look import Entry

SHOWN = 5
SLACK_NS = 50_000_000
"""A change time that is apart by less is chance."""
SLACK_INODES = 1_000
IN_TURN = 20
"""So many times the slack for a file at an end of a tree that was written in order: a busy host pauses anywhere."""
_QUOTES = str.maketrans({'"': "'"})


def of_entries(entries: Sequence[Entry], edited: frozenset[str], instance_id: str) -> Iterator[Finding]:
    """Stamps of the work tree that differ, or that set the edited files (relative paths) apart."""
    entries = [each for each in entries if each.path != ".git/" and not each.path.startswith(".git/")]
    stamps = Counter(each.mtime_ns for each in entries)
    usual = stamps.most_common(1)[0][0] if stamps else 0
    for each in [each for each in entries if each.mtime_ns != usual][:SHOWN]:
        yield Finding(instance_id, "L17", f"{WORKDIR}/{each.path}", "another time stamp than the rest of the tree")
    files = [each for each in entries if not each.path.endswith("/")]
    devices = Counter(each.device for each in files)
    for each in files:
        if each.path in edited and each.device != devices.most_common(1)[0][0]:
            yield Finding(instance_id, "L17", f"{WORKDIR}/{each.path}", "on another device than the rest of the tree")
    for what, values, slack in (
        ("change time", {each.path: each.ctime_ns for each in files}, SLACK_NS),
        ("inode", {each.path: each.inode for each in files}, SLACK_INODES),
    ):
        for path in sorted(edited & values.keys()):
            if stands_out(values, path, edited, slack):
                yield Finding(instance_id, "L17", f"{WORKDIR}/{path}", f"its {what} sets it apart from all other files")


def stands_out(values: Mapping[str, int], path: str, edited: frozenset[str], slack: int) -> bool:
    """The value is beyond all others' by more than they are apart, or it alone breaks their order."""
    others = {name: value for name, value in values.items() if name not in edited}
    if len(others) < 3:
        return False
    mine, ordered = values[path], sorted(others.values())
    in_order = [others[name] for name in sorted(others)] == ordered
    before = [value for name, value in others.items() if name < path]
    after = [value for name, value in others.items() if name > path]
    out_of_turn = (bool(before) and mine < max(before)) or (bool(after) and mine > min(after))
    if in_order and out_of_turn:
        return True
    gap = max(mine - ordered[-1], ordered[0] - mine)
    widest = max(b - a for a, b in pairwise(ordered))
    return gap > 4 * max(widest, slack * (IN_TURN if in_order else 1))


def of_patch(task: TaskInstance, language: Language) -> Iterator[Finding]:
    """Changes of the bug that change form only: the marks of a printed syntax tree. Raises: PatchDoesNotApply."""
    for each in patch.parse(task.bug_patch):
        if each.before is None or each.after is None:
            continue
        for hunk in each.hunks:
            old, new = (b"".join(side).decode("utf-8", "replace") for side in (hunk.old, hunk.new))
            if _form(old, language) == _form(new, language) or ("\r\n" in old) != ("\r\n" in new):
                place = f"bug_patch {each.before}:{hunk.start + 1}"
                yield Finding(task.instance_id, "L17", place, "a change of layout, quotes or comments only")


def _form(text: str, language: Language) -> list[tuple[int, list[str]]]:
    """Indentation and tokens of each line with code, whatever the quotes."""
    lines = ((line, language.copy_tokens(line.translate(_QUOTES), exact=True)) for line in re.split(r"\r?\n", text))
    return [(len(line) - len(line.lstrip()), tokens) for line, tokens in lines if tokens]
