"""The tools that an agent has, at work in a sandbox. Whatever an agent asks for, the answer is an observation."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from swesmith_gym.envs.actions import Call
from swesmith_gym.errors import SandboxDied
from swesmith_gym.records import ExecResult, FileChange
from swesmith_gym.sandboxes.base import WORKDIR, Sandbox
from swesmith_gym.tasks.text import encodable

MAX_EDIT_BYTES = 4 << 20
MAX_LINKS = 20
_CONTEXT_LINES = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call gave: the text for the agent, and what goes to `info`."""

    text: str
    info: dict[str, Any] = field(default_factory=dict)


class _Refusal(Exception):
    """A call that cannot be done; the text is the observation."""


class Tools:
    """The tools of one episode. Holds the undo history; closed with the sandbox that it was given."""

    def __init__(self, sandbox: Sandbox, *, max_observation_chars: int) -> None:
        self._sandbox = sandbox
        self._max_chars = max_observation_chars
        self._history: dict[str, list[FileChange]] = defaultdict(list)
        self._tools: dict[str, Callable[..., Answer]] = {
            "view": self._view,
            "create": self._create,
            "str_replace": self._str_replace,
            "insert": self._insert,
            "undo_edit": self._undo_edit,
        }

    @property
    def edits(self) -> dict[str, tuple[FileChange, ...]]:
        """What `undo_edit` can take back: path -> files as they were, the last one at the end."""
        return {path: tuple(history) for path, history in self._history.items() if history}

    @edits.setter
    def edits(self, edits: Mapping[str, tuple[FileChange, ...]]) -> None:
        self._history = defaultdict(list, {path: list(history) for path, history in edits.items()})

    def run(self, call: Call, *, timeout_s: float) -> Answer:
        """Carry out a call other than `submit`. Raises: SandboxDied."""
        try:
            if call.tool == "bash":
                answer = self._bash(call.arguments["command"], timeout_s)
            else:
                answer = self._tools[call.tool](**call.arguments)
        except _Refusal as refusal:
            answer = Answer(str(refusal))
        except SandboxDied:
            raise
        except OSError as error:
            answer = Answer(f"{error.strerror or error}")
        text, cut = shorten(encodable(answer.text), self._max_chars)
        return Answer(text, {**answer.info, "output_truncated": cut or answer.info.get("output_truncated", False)})

    def _bash(self, command: str, timeout_s: float) -> Answer:
        shell = self._sandbox.shell()
        result = shell.run(command, timeout_s=timeout_s)
        return Answer(_report(result, timeout_s), _facts(result))

    def _view(self, path: str, view_range: list[int] | None = None) -> Answer:
        place = _absolute(path)
        if self._sandbox.run('test -d "$P"', env={"P": place}, timeout_s=10).exit_code == 0:
            listing = self._sandbox.run(
                "cd \"$P\" && find . -mindepth 1 -maxdepth 2 -not -path '*/.*' | LC_ALL=C sort | cut -c3-",
                env={"P": place},
                timeout_s=30,
            )
            return Answer(f"{path}:\n{listing.stdout.decode(errors='replace')}")
        lines = self._text(path).split("\n")
        first, last = _range(view_range, len(lines))
        return Answer(_numbered(lines[first - 1 : last], first))

    def _create(self, path: str, file_text: str) -> Answer:
        self._save(path, self._current(path), file_text)
        return Answer(f"{path} has been written.")

    def _str_replace(self, path: str, old_str: str, new_str: str = "") -> Answer:
        text = self._text(path)
        count = text.count(old_str) if old_str else 0
        if count != 1:
            found = f"occurs {count} times" if count else "does not occur"
            raise _Refusal(f"Nothing was replaced: old_str {found} in {path}; it must occur exactly once.")
        before = text.index(old_str)
        self._save(path, text.encode("utf-8", "surrogateescape"), text.replace(old_str, new_str, 1))
        return self._edited(path, text[:before].count("\n"), new_str)

    def _insert(self, path: str, insert_line: int, new_str: str) -> Answer:
        text = self._text(path)
        lines = _lines(text)
        if not 0 <= insert_line <= len(lines):
            raise _Refusal(f"insert_line is {insert_line}, but {path} has {len(lines)} lines.")
        before, after = "".join(lines[:insert_line]), "".join(lines[insert_line:])
        end = _line_end(text)
        added = new_str.replace("\r\n", "\n").replace("\n", end) if "\n" in text else new_str
        if before and not before.endswith("\n"):
            before += end
        elif (after or before) and not added.endswith("\n"):
            added += end
        self._save(path, text.encode("utf-8", "surrogateescape"), before + added + after)
        return self._edited(path, insert_line, added)

    def _undo_edit(self, path: str) -> Answer:
        history = self._history[self._place(path)]
        if not history:
            raise _Refusal(f"There is no edit of {path} to take back.")
        self._sandbox.apply((history[-1],))
        history.pop()
        return Answer(f"The last edit of {path} has been taken back.")

    def _current(self, path: str) -> bytes | None:
        try:
            return self._sandbox.read_file(_absolute(path), limit=MAX_EDIT_BYTES)
        except FileNotFoundError:
            return None
        except IsADirectoryError:
            raise _Refusal(f"{path} is a folder.") from None

    def _text(self, path: str) -> str:
        data = self._current(path)
        if data is None:
            raise _Refusal(f"There is no file {path}.")
        return data.decode("utf-8", "surrogateescape")

    def _save(self, path: str, before: bytes | None, after: str) -> None:
        data = after.encode("utf-8", "surrogateescape")
        if len(data) > MAX_EDIT_BYTES:
            raise _Refusal(f"The text has {len(data)} bytes: the limit is {MAX_EDIT_BYTES}.")
        place = self._place(path)
        mode = 0o755 if before is not None and self._executable(place) else 0o644
        self._sandbox.apply((FileChange(place, data, mode),))
        self._history[place].append(FileChange(place, before, mode))

    def _place(self, path: str) -> str:
        """Where an edit of `path` goes: what it links to, if it is a link."""
        place = _absolute(path)
        for _ in range(MAX_LINKS):
            try:
                target = self._sandbox.read_link(place)
            except SandboxDied:
                raise
            except OSError:
                return place
            place = posixpath.normpath(posixpath.join(posixpath.dirname(place), target))
        raise _Refusal(f"{path} leads through too many links.")

    def _executable(self, place: str) -> bool:
        return self._sandbox.run('test -x "$P"', env={"P": place}, timeout_s=10).exit_code == 0

    def _edited(self, path: str, line: int, new: str) -> Answer:
        lines = self._text(path).split("\n")
        first = max(1, line + 1 - _CONTEXT_LINES)
        last = min(len(lines), line + 1 + new.count("\n") + _CONTEXT_LINES)
        return Answer(f"{path} has been edited:\n{_numbered(lines[first - 1 : last], first)}")


def _lines(text: str) -> list[str]:
    """The lines with their ends. Only a line feed ends one: not what else `str.splitlines` takes for an end."""
    *whole, rest = text.split("\n")
    return [f"{line}\n" for line in whole] + ([rest] if rest else [])


def _line_end(text: str) -> str:
    """The line end that most lines of a file have."""
    return "\r\n" if 2 * text.count("\r\n") > text.count("\n") else "\n"


def _absolute(path: str) -> str:
    return posixpath.normpath(posixpath.join(WORKDIR, path))


def _range(asked: list[int] | None, count: int) -> tuple[int, int]:
    if asked is None:
        return 1, count
    first, last = asked[0], count if asked[1] == -1 else asked[1]
    if not 1 <= first <= last or first > count:
        raise _Refusal(f"view_range {asked} does not fit a file of {count} lines.")
    return first, min(last, count)


def _numbered(lines: list[str], first: int) -> str:
    return "\n".join(f"{number:6}\t{line}" for number, line in enumerate(lines, first))


def _report(result: ExecResult, timeout_s: float) -> str:
    text = result.stdout.decode("utf-8", "replace")
    notes = []
    if result.timed_out:
        notes.append(f"the command was ended after {timeout_s:.0f} s")
    elif result.exit_code:
        notes.append(f"exit code {result.exit_code}")
    if result.oom_killed:
        notes.append("it ran out of memory")
    if not notes and not text:
        notes.append("no output")
    if not notes:
        return text
    return f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}[{', '.join(notes)}]"


def _facts(result: ExecResult) -> dict[str, Any]:
    facts: dict[str, Any] = {"timed_out": result.timed_out, "output_truncated": result.output_truncated}
    if result.exit_code is not None:
        facts["exit_code"] = result.exit_code
    return facts


def shorten(text: str, limit: int) -> tuple[str, bool]:
    """`text` with its middle left out where it is longer than `limit` characters, and whether it was."""
    if len(text) <= limit:
        return text, False
    half = limit // 2
    head, tail = text[:half], text[len(text) - half :]
    return f"{head}\n[... {len(text) - len(head) - len(tail)} characters are left out ...]\n{tail}", True
