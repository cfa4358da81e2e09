"""The last resort of `pr_mirror`: a model is shown one file and a change, and is asked for the file without it.

The answer is a text to check, nothing more: one block of code that parses and differs from the file by about as much as
the change does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

from swesmith_gym import visible
from swesmith_gym.bugs import templates
from swesmith_gym.bugs.telling import reveals_undoing
from swesmith_gym.errors import CandidateRejected
from swesmith_gym.languages.base import Language
from swesmith_gym.lm import fences, prompts
from swesmith_gym.lm.base import LM, Completion, Request
from swesmith_gym.lm.prompts import Prompt
from swesmith_gym.patch import split_lines
from swesmith_gym.repos.changes.base import FileChange, rendered

MAX_FILE_CHARS = 24_000
MAX_DIFF_CHARS = 12_000
MARGIN = 10
"""Lines that an answer may change beside twice as many as the change has: the code around it has moved on."""
PROMPT = "pr_mirror"
PLACEHOLDERS = ("path", "file", "diff", "fence")


def prompt(users: Path | None = None) -> Prompt:
    """Our prompt, or the one of a user's folder. Raises: InputError."""
    return Prompt(**prompts.read(PROMPT, templates.OURS, users, prompts.system_and_user(*PLACEHOLDERS)))


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks `lm`; is called with a change and the file as it is now."""

    lm: LM
    language: Language
    prompt: Prompt
    """Placeholders: PLACEHOLDERS."""
    costs: list[float | None] = field(default_factory=list)
    """Of each answer so far, in US dollars; None: unknown."""

    def __call__(self, file: FileChange, now: bytes) -> bytes:
        """The file without the change. Raises: CandidateRejected, LMError."""
        try:
            text = now.decode()
        except UnicodeDecodeError as error:
            raise CandidateRejected(reason="no_source", detail=f"{file.paths[0]}: not UTF-8") from error
        shown = rendered((file.patch,)).encode(errors="replace").decode()
        if len(text) > MAX_FILE_CHARS or len(shown) > MAX_DIFF_CHARS:
            raise CandidateRejected(
                reason="too_large",
                detail=f"{file.paths[0]}: {len(text)} characters and a diff of {len(shown)}; a model is shown at most "
                f"{MAX_FILE_CHARS} and {MAX_DIFF_CHARS}",
            )
        messages = self.prompt.messages(
            path=file.paths[0],
            file=text.removesuffix("\n"),
            diff=shown.removesuffix("\n"),
            fence=fences.fence_around(text, shown),
        )
        answer = self.lm.complete(Request(messages, max_tokens=len(text) // 2 + 512))
        self.costs.append(answer.cost_usd)
        found = _like(text, _code(answer))
        for reason, detail in _faults(text, found, file, self.language):
            raise CandidateRejected(reason=reason, detail=f"{file.paths[0]}: {detail}")
        return found.encode()


def _code(answer: Completion) -> str:
    if answer.finish_reason == "length":
        raise CandidateRejected(reason="no_code", detail="the answer was cut off")
    blocks = [part for part in fences.parts(fences.spoken(answer.text)) if part.block]
    if len(blocks) != 1:
        raise CandidateRejected(reason="no_code", detail=f"the answer holds {len(blocks)} blocks of code, not one")
    if not blocks[0].closed or not blocks[0].text.strip():
        raise CandidateRejected(reason="no_code", detail="the answer's block of code has no end, or is empty")
    return blocks[0].text


def _like(text: str, found: str) -> str:
    """An answer with the line ends of the file."""
    if not text.endswith("\n"):
        found = found.removesuffix("\n")
    return found.replace("\n", "\r\n") if "\r\n" in text and "\r\n" not in found else found


def _faults(before: str, after: str, file: FileChange, language: Language) -> Iterator[tuple[str, str]]:
    if "".join(before.split()) == "".join(after.split()):
        yield "unchanged", "the model gave the file back as it was"
    try:
        after.encode()
    except UnicodeEncodeError:
        yield "syntax_error", "half a character"
    if error := language.syntax_error(after):
        yield "syntax_error", error
    old, new = split_lines(before.encode()), split_lines(after.encode())
    steps = [step for step in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if step[0] != "equal"]
    changed = sum(b - a + d - c for _, a, b, c, d in steps)
    if changed > 2 * file.lines + MARGIN:
        yield "outside_entity", f"{changed} lines differ, where the change has {file.lines}"
    known = {line for hunk in file.patch.hunks for line in hunk.old}
    for _, _, _, c, d in steps:
        for line in new[c:d]:
            if line not in known and reveals_undoing(line.decode()):
                yield "reveals_bug", visible.line(line.decode(), 200)
