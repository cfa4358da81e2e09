"""What stands above a patch: the head of a mail (`git format-patch`), the fields of DEP-3 (Debian), or plain words.

https://dep-team.pages.debian.net/deps/dep3/ is what the fields are from. Never raises: a head is for people.
"""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header

_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]*):(?:[ \t]+(.*)|)$")
_TITLES = ("description", "subject")
_KNOWN = frozenset(
    {*_TITLES, "from", "author", "origin", "bug", "forwarded", "date", "last-update", "applied-upstream"}
)
_ORIGINS = re.compile(r"(?:origin|applied-upstream|bug(?:-[a-z0-9-]+)?)$")
_TRAILER = re.compile(
    r"(?:Origin|Bug|Bug-[\w-]+|Forwarded|Author|Reviewed-by|Acked-by|Signed-off-by|Last-Update|Applied-Upstream"
    r"|Patch-Name|Gbp-[\w-]+|Cc|Change-Id|git-svn-id):\s",
    re.IGNORECASE,
)
_MAIL = re.compile(r"From ([0-9a-f]{40}) ")


def described(head: bytes) -> tuple[str, str]:
    """What people wrote of the patch, and where it comes from. Either may be empty."""
    lines = head.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    commit = _MAIL.match(lines[0])
    if commit or lines[0].startswith("From "):
        lines = lines[1:]
    lines = [line for line in lines if not line.startswith(("#", "Index: ", "====", "diff "))]
    fields, body = _taken_apart(lines)
    title = next((fields[name] for name in _TITLES if name in fields), "")
    text = "\n".join(part for part in (_title(title), *_body(body)) if part)
    origins = [f"{_spelt(name)}: {' '.join(value.split())}" for name, value in fields.items() if _ORIGINS.match(name)]
    origins += [
        line.strip() for line in body if _ORIGINS.match(line.partition(":")[0].lower()) and _TRAILER.match(line)
    ]
    if commit and set(commit[1]) != {"0"}:
        origins.insert(0, f"commit {commit[1][:12]}")
    return text.strip(), "; ".join(origins)


def _spelt(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def _taken_apart(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """Fields by their names in small letters, and all lines that belong to none."""
    fields: dict[str, list[str]] = {}
    body: list[str] = []
    last = ""
    for number, line in enumerate(lines):
        match = _FIELD.match(line)
        if not line.strip() and fields:
            return _known(fields, [*body, "", *lines[number + 1 :]], lines)
        if match:
            last = match[1].lower()
            fields.setdefault(last, []).append(match[2] or "")
        elif line[:1] in (" ", "\t") and last:
            fields[last].append("" if line.strip() == "." else line[1:] if line.startswith(" ") else line.strip())
        elif line.rstrip() == "---":
            return _known(fields, body, lines)
        else:
            body.append(line)
    return _known(fields, body, lines)


def _known(fields: dict[str, list[str]], body: list[str], lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """Where no field is one that is known, the lines were prose with colons."""
    if not _KNOWN & set(fields):
        return {}, lines
    return {name: (" " if name == "subject" else "\n").join(values) for name, values in fields.items()}, body


def _title(text: str) -> str:
    """A subject without `[PATCH 1/3]` and without trailers, decoded."""
    text = "\n".join(line for line in text.split("\n") if not _TRAILER.match(line))
    if "=?" in text:
        try:
            text = str(make_header(decode_header(text)))
        except (HeaderParseError, LookupError, UnicodeError, ValueError):
            text = text.strip()
    return re.sub(r"^\s*(?:\[[^\]\n]*\]\s*)+", "", text).strip()


def _body(lines: list[str]) -> list[str]:
    """The lines down to `---`, trailers left out; a blank line before them."""
    end = next((at for at, line in enumerate(lines) if line.rstrip() == "---"), len(lines))
    kept = [line.rstrip() for line in lines[:end] if not _TRAILER.match(line)]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip("\n")
    return ["\n" + text] if text.strip() else []
