"""The one place that makes unified diffs, in the form of `git diff`.

Texts are compared line by line, lines end at LF alone (a CR before it belongs to the line), and nothing is normalised:
applying the diff to `before` gives `after`, byte for byte. Applying is not done here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

CONTEXT = 3
MAX_COMPARED_LINES = 20_000
"""Where more lines than these lie between the first and the last difference, they are one block: looking for what is
equal within it takes quadratic time."""
_NO_NEWLINE = "\\ No newline at end of file\n"
_PLAIN_PATH = re.compile(r'[^\x00-\x1f\x7f-\uffff\U00010000-\U0010ffff"\\]*')

Block = tuple[int, int, int, int]
"""Lines [a, b) of the old text became lines [c, d) of the new one, counted from 0."""


def changed_span(before: str, after: str) -> tuple[int, int, int]:
    """`(start, end, new_end)` in characters: `before[start:end]` became `after[start:new_end]`, all else is equal."""
    shorter = min(len(before), len(after))
    start = _common(before, after, shorter)
    shorter -= start
    low, high = 0, shorter
    while low < high:
        middle = (low + high + 1) // 2
        if before[len(before) - middle : len(before) - low] == after[len(after) - middle : len(after) - low]:
            low = middle
        else:
            high = middle - 1
    return start, len(before) - low, len(after) - low


def _common(before: str, after: str, limit: int) -> int:
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if before[low:middle] == after[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


@dataclass(frozen=True, slots=True)
class Change:
    """One file before and after, as bytes; None: there is none. Modes are 0o644 or 0o755."""

    path: str
    before: bytes | None
    after: bytes | None
    old_mode: int = 0o644
    new_mode: int = 0o644


def of_changes(changes: Iterable[Change]) -> str:
    """The diff of several files, in their order. Bytes that are no UTF-8 text are kept by surrogate escapes."""
    return "".join(
        unified(each.path, _text(each.before), _text(each.after), old_mode=each.old_mode, new_mode=each.new_mode)
        for each in changes
    )


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "surrogateescape")


def unified(path: str, before: str | None, after: str | None, *, old_mode: int = 0o644, new_mode: int = 0o644) -> str:
    """The diff of one file, `a/` and `b/` prefixes, three lines of context; empty where nothing changed.

    `before` None: the file is new; `after` None: it is deleted. `path` is relative and quoted as git quotes it.
    """
    chmod = before is not None and after is not None and old_mode != new_mode
    if before == after and not chmod:
        return ""
    old, new = _quoted(f"a/{path}"), _quoted(f"b/{path}")
    head = [f"diff --git {old} {new}\n"]
    if chmod:
        head.append(f"old mode 100{old_mode:o}\nnew mode 100{new_mode:o}\n")
    if before is None:
        head.append(f"new file mode 100{new_mode:o}\n")
    if after is None:
        head.append(f"deleted file mode 100{old_mode:o}\n")
    hunks = "".join(_hunks(before or "", after or ""))
    if not hunks:
        return "".join(head)
    head.append(f"--- {'/dev/null' if before is None else _labelled(old)}\n")
    head.append(f"+++ {'/dev/null' if after is None else _labelled(new)}\n")
    return "".join(head) + hunks


def _quoted(path: str) -> str:
    if _PLAIN_PATH.fullmatch(path):
        return path
    named = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
    data = path.encode("utf-8", "surrogateescape")
    return '"' + "".join(named.get(b) or (chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in data) + '"'


def _labelled(path: str) -> str:
    """A name with a space ends with a tab, so that readers know where it stops."""
    return path + "\t" if " " in path and not path.startswith('"') else path


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    last = lines.pop()
    whole = [line + "\n" for line in lines]
    return [*whole, last] if last else whole


def _hunks(before: str, after: str) -> Iterator[str]:
    start, end, _ = changed_span(before, after)
    first = before.rfind("\n", 0, start) + 1
    skipped = before.count("\n", 0, first)
    # Whole lines up to and with the first newline behind the change, the same newline in both texts.
    tail = before.find("\n", end)
    rest = len(before) - (len(before) if tail < 0 else tail + 1)
    old_middle, new_middle = _lines(before[first : len(before) - rest]), _lines(after[first : len(after) - rest])
    leading = _lines(_last_lines(before[:first]))
    trailing = _lines(_first_lines(before[len(before) - rest :]))
    old, new = leading + old_middle + trailing, leading + new_middle + trailing
    offset = skipped - len(leading)
    blocks = list(_blocks(old_middle, new_middle, len(leading)))
    for group in _groups(blocks):
        yield _hunk(old, new, group, offset)


def _last_lines(text: str) -> str:
    at = len(text)
    for _ in range(CONTEXT + 1):
        at = text.rfind("\n", 0, at)
        if at < 0:
            return text
    return text[at + 1 :]


def _first_lines(text: str) -> str:
    at = -1
    for _ in range(CONTEXT):
        at = text.find("\n", at + 1)
        if at < 0:
            return text
    return text[: at + 1]


def _blocks(old: list[str], new: list[str], shift: int) -> Iterator[Block]:
    if len(old) + len(new) > MAX_COMPARED_LINES:
        yield shift, len(old) + shift, shift, len(new) + shift
        return
    matcher = SequenceMatcher(None, old, new)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            yield a + shift, b + shift, c + shift, d + shift


def _groups(blocks: list[Block]) -> Iterator[list[Block]]:
    group: list[Block] = []
    for block in blocks:
        if group and block[0] - group[-1][1] > 2 * CONTEXT:
            yield group
            group = []
        group.append(block)
    if group:
        yield group


def _hunk(old: list[str], new: list[str], group: list[Block], offset: int) -> str:
    before = min(CONTEXT, group[0][0])
    after = min(CONTEXT, len(old) - group[-1][1])
    a, b = group[0][0] - before, group[-1][1] + after
    c, d = group[0][2] - before, group[-1][3] + after
    out = [f"@@ -{_range(a, b, offset)} +{_range(c, d, offset)} @@\n"]
    at = a
    for start, end, new_start, new_end in group:
        out += [_line(" ", text) for text in old[at:start]]
        out += [_line("-", text) for text in old[start:end]]
        out += [_line("+", text) for text in new[new_start:new_end]]
        at = end
    out += [_line(" ", text) for text in old[at:b]]
    return "".join(out)


def _line(mark: str, text: str) -> str:
    return mark + text if text.endswith("\n") else f"{mark}{text}\n{_NO_NEWLINE}"


def _range(start: int, end: int, offset: int) -> str:
    length = end - start
    first = start + offset + (1 if length else 0)
    return str(first) if length == 1 else f"{first},{length}"
