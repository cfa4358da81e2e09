"""What a validated bug is like as a task: how much it breaks, how large and how deep it is, how hard it may be."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from difflib import SequenceMatcher

from swesmith_gym import patch
from swesmith_gym.harness.impact import Impact, changed_code
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import TaskQuality, Validation
from swesmith_gym.tasks import sealing

_DEEP = 8
_MANY_LINES = 60
"""From here on, more calls or lines make nothing harder."""


def quality(
    bug_patch: str, files: Mapping[str, bytes | None], found: Validation, testbed: Testbed, impact: Impact | None
) -> TaskQuality:
    """Measures of one bug. `impact`: for the depth; None: it is not known."""
    patches = patch.parse(bug_patch)
    broken = len(found.fail_to_pass) / len(testbed.passing)
    names = _changed_names(files, testbed)
    told = _told(found, {name.rsplit(":", 1)[1] for name in names})
    depth = _depth(found, names, impact)
    lines = sum(_edited(hunk.old, hunk.new) for each in patches for hunk in each.hunks)
    return TaskQuality(
        broken_share=round(broken, 4),
        edited_lines=lines,
        edited_files=len(patches),
        edited_hunks=sum(len(each.hunks) for each in patches),
        depth=depth,
        names_function=told,
        difficulty=_difficulty(broken, lines, len(patches), depth, told),
    )


def _edited(old: tuple[bytes, ...], new: tuple[bytes, ...]) -> int:
    """Lines that are taken out or put in."""
    changes = (each for each in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if each[0] != "equal")
    return sum(end - start + new_end - new_start for _, start, end, new_start, new_end in changes)


def _changed_names(files: Mapping[str, bytes | None], testbed: Testbed) -> frozenset[str]:
    """The pieces of code that the bug changes, as in `TestTrace.code`; none where that cannot be told."""
    read = sealing.reader(testbed.pristine)
    found = (changed_code(path, read(path), after, testbed.language) for path, after in files.items())
    return frozenset(name for names in found for name in names or ())


def _told(found: Validation, names: set[str]) -> bool:
    """A failure's text says the name of something that the bug changes."""
    return any(name in message for name in names for message in found.messages.values())


def _depth(found: Validation, names: frozenset[str], impact: Impact | None) -> int | None:
    depths = [impact.depth(test, names) for test in found.fail_to_pass] if impact else []
    known = [depth for depth in depths if depth is not None]
    return round(statistics.median(known)) if known else None


def _difficulty(broken: float, lines: int, files: int, depth: int | None, told: bool) -> float:
    """From 0 (the failure points at one line) to 1: a plain mean of what makes a bug harder to find and to undo."""
    parts = [
        1 - min(1.0, math.sqrt(broken)),
        min(1.0, (depth or 1) / _DEEP),
        min(1.0, math.log1p(lines) / math.log1p(_MANY_LINES)),
        0.0 if told else 1.0,
        min(1.0, (files - 1) / 3),
    ]
    return round(sum(parts) / len(parts), 3)
