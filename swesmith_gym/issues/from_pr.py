"""Issues in the words of the people who made the change: what they wrote, less what says where the answer is."""

from __future__ import annotations

import re

from swesmith_gym.issues import telling
from swesmith_gym.issues.leaks import without_leaks
from swesmith_gym.issues.materials import Draft, Materials
from swesmith_gym.issues.text import cleaned
from swesmith_gym.records import TaskInstance

MAX_CHARS = 8000
MIN_WORDS = 3
"""Words that say something, at least."""
_TRAILER = re.compile(
    r"""[ \t]*(?:
      (?:[\w]+(?:-[\w]+)*-by|change-id|git-svn-id|cc|link|bug-\w+|origin|forwarded|applied-upstream|last-update
        |reviewed-on|author):[ \t].*
    | from:[ \t].*@.*
    | date:[ \t]+(?:\w{3},|\d).*
    | From[ ][0-9a-f]{40}[ ].*
    | [^|]+\|\s+\d+\s[+-]+
    | \d+\sfiles?\schanged\b.*
    | ---
    )""",
    re.VERBOSE | re.IGNORECASE,
)
"""A line that only says who, when or where: trailers of git, headers of mails, fields of Debian's patches (DEP 3), or
how many lines were changed."""
_DIFF = re.compile(r"diff --git |--- [ab]/|Index: ")
"""Here the text ends and the change begins."""
_DESCRIPTION = re.compile(r"^Description:", re.MULTILINE)
_TITLE_FIELD = re.compile(r"\A(?:subject|description):[ \t]*(?:\[PATCH[^]]*\][ \t]*)?|\A\[PATCH[^]]*\][ \t]*", re.I)
_MERGE = re.compile(r"merge (?:pull request|branch|remote-tracking branch|tag|commit)\b.*", re.IGNORECASE)
_IMAGE_OR_LINK = re.compile(r"!?\[([^\][]*)\]\([^()\s]*\)")
_ADDRESS = re.compile(
    r"<?\b(?:(?:https?|ftp|git|ssh)://|www\.)[^\s<>]*[^\s<>.,;:!?)\]'\"]>?|<[\w.+-]{1,80}@[\w.-]{1,80}>", re.IGNORECASE
)
_NUMBER = (
    r"(?:(?:(?<![\w.-])[\w.-]{1,80}/[\w.-]{1,80})?\#\d{1,5}"
    r"|\b(?:gh-|bpo-|(?:issues?|bugs?|tickets?|prs?|pull[ ]requests?|mr)[ ]?[#!]?)[ ]?\d{1,7})(?![\w.]*\w)"
)
_POINTS = (
    r"(?:\b(?:fix(?:es|ed)?|close[sd]?|resolve[sd]?|see|also|refs?|references|related[ ]to|part[ ]of|address(?:es)?"
    r"|backports?(?:[ ]of)?|reverts?|implements?):?[ ]{1,2}){0,3}"
)
_NUMBERS = rf"{_POINTS}{_NUMBER}(?:[ ]?(?:,|and|&)[ ]?{_NUMBER})*"
_REFERENCE = re.compile(rf"\([ ]?{_NUMBERS}[ ]?\)|\[[ ]?{_NUMBERS}[ ]?\]|{_NUMBERS}", re.VERBOSE | re.IGNORECASE)
_COMMIT = re.compile(
    r"\(?\b(?:cherry[ -]picked from |(?:this )?reverts? |(?:in|since|by) )?commit\s+[0-9a-f]{7,40}\b\.?\)?"
    r"|\b[0-9a-f]{40}\b",
    re.IGNORECASE,
)
_EMPTY_WORDS = """
a also an and any as at be bug bugfix bugs bump by change changed changelog changes ci clean cleanup cleanups
close closed closes code comments commit doc docs docstring edit error errors final fix fixed fixes fixing fixup
for from further hotfix i in initial is issue it its link lint linter main master merge minor misc more my new
nit nits of on or patch pep8 please pr quick readme ready ref refactor refactoring refs release revert review
reviews see small some squash stuff style temp test testing tests that the this tidy tmp to try typo typos up
update updated updates version via was wip with work
"""
_SAYS_NOTHING = frozenset(_EMPTY_WORDS.split())
"""They tell nobody what is wrong."""
_WORD = re.compile(r"[^\W\d_]{2,}")


def write(task: TaskInstance, materials: Materials) -> Draft:
    """A statement, or the reason why there is none: nobody wrote anything, or nothing that tells a reader anything."""
    if not task.original_text.strip():
        return Draft(missing="no_text")
    lines = _harmless(_lines(task.original_text), task, materials)
    text = _joined(lines)
    text = without_leaks(text, task.gold_patch) if text else ""
    if len(_telling_words(text)) < MIN_WORDS:
        return Draft(missing="says_nothing")
    return Draft(_joined(text.split("\n")))


def _lines(original: str) -> list[str]:
    """The text's lines without links, numbers of issues and what is no prose; a line that held nothing else is gone."""
    text = cleaned(original[: 4 * MAX_CHARS])
    if _DESCRIPTION.search(text):  # there, what belongs to a field is indented, and a point stands for an empty line
        text = re.sub(r"^ (?:\.$)?", "", text, flags=re.MULTILINE)
    kept = []
    for line in text.split("\n"):
        if _DIFF.match(line):
            break
        if _TRAILER.fullmatch(line) or _MERGE.fullmatch(line.strip()):
            continue
        said = _TITLE_FIELD.sub("", line)
        for pattern, instead in ((_IMAGE_OR_LINK, r"\1"), (_ADDRESS, ""), (_COMMIT, ""), (_REFERENCE, "")):
            said = pattern.sub(instead, said)
        if said != line:
            said = _tidied(said)
        if said.strip() or not line.strip():
            kept.append(said)
    return kept


def _tidied(line: str) -> str:
    """A line that something was taken out of; empty where what is left says nothing."""
    line = re.sub(r"(?<!\w)(?:\(\s*\)|\[\s*\]|<\s*>)", "", line)
    line = re.sub(r"(?<=\S)[ \t]{2,}", " ", line)
    line = re.sub(r"[ \t]+([.,;:)!?])", r"\1", line).rstrip(" \t,;:-")
    return line if _telling_words(line) else ""


def _telling_words(text: str) -> set[str]:
    return {word for word in _WORD.findall(text.lower()) if word not in _SAYS_NOTHING}


def _harmless(lines: list[str], task: TaskInstance, materials: Materials) -> list[str]:
    """Less those that name the failing tests, or the kind of the bug."""
    language = materials.language
    return [
        line
        for line in lines
        if not any(telling.test_names(line, task, language)) and not any(telling.strategy_words(line, task, language))
    ]


def _joined(lines: list[str]) -> str:
    """Title, an empty line, the rest; empty without a line of text."""
    text = cleaned("\n".join(lines)).strip()
    title, _, rest = text.partition("\n")
    title = title.strip().lstrip("#*").strip()
    rest = rest.strip("\n")
    if len(rest) > MAX_CHARS:
        rest = f"{rest[:MAX_CHARS].rpartition('. ')[0] or rest[:MAX_CHARS]} [...]"
    return "\n\n".join(part for part in (title, rest) if part) + "\n" if title else ""
