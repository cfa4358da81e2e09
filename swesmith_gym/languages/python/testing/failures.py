"""Failure texts of tests, taken apart: the error, the values, the statement of the test that failed."""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath

from swesmith_gym.languages.base import FailureSummary
from swesmith_gym.languages.python.parsing import parse, parse_expression
from swesmith_gym.languages.python.testing.ids import module_of, names_of

ERROR_LINE = re.compile(r"^E(?:   |$)(.*)$")
EXCEPTION = re.compile(r"^(?P<type>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?$", re.DOTALL)
FRAME = re.compile(r"^(?P<path>\S.*?):(?P<line>\d+): in (?P<name>.+)$")
NOT_RAISED = re.compile(r"DID NOT RAISE (?:any of )?(?P<what>.+)|^(?P<unit>\w+) not raised")
REMARK = re.compile(r"^\s*(?:\+\s+(?:where|and)\s|Use -v to get |Full diff:$|\.\.\.Full output truncated)")
"""Lines about the runner's own display, or that repeat the test's expression."""
WANTED_NAMES = frozenset({"expected", "expect", "exp", "want", "wanted", "desired", "target", "reference"})

_NO_NETWORK = re.compile(
    r"\bgaierror\b|Name or service not known|Temporary failure in name resolution|Network is unreachable"
    r"|No route to host|NameResolutionError|Failed to establish a new connection|\b(?:URLError|ConnectTimeout)\b"
)
"""What the resolver, sockets and common clients say where nothing can be reached."""


def summary(message: str) -> FailureSummary:
    """See `Language.failure_summary`."""
    lines = message.splitlines()
    test_id = _last(lines, "test: ")
    error = _error(lines)
    exception, text = _split(error)
    line = _test_line(lines, module_of(test_id))
    expected, actual = _values(exception, text, line)
    return FailureSummary(exception, text, expected, actual, test_id, line, _given(lines))


def needs_network(message: str) -> bool:
    """See `Language.needs_network`."""
    return bool(_NO_NETWORK.search(message))


def topic(test_id: str) -> tuple[str, str]:
    """See `Language.test_topic`."""
    names = names_of(test_id)
    return _words(PurePosixPath(module_of(test_id)).stem), _words(names[-1]) if names else ""


def _words(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    words = [word.lower() for word in re.split(r"[^A-Za-z0-9]+|\s", spaced) if word]
    while words and words[0] in ("test", "tests"):
        words.pop(0)
    while words and words[-1] in ("test", "tests"):
        words.pop()
    return " ".join(words)


def _last(lines: list[str], start: str) -> str:
    return next((line[len(start) :] for line in reversed(lines) if line.startswith(start)), "")


def _given(lines: list[str]) -> tuple[tuple[str, str], ...]:
    pairs = (line[6:].partition(" = ") for line in lines if line.startswith("with: "))
    return tuple((name, value) for name, sign, value in pairs if sign)


def _error(lines: list[str]) -> list[str]:
    """The last block of error lines, without their mark."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        found = ERROR_LINE.match(line)
        if found:
            blocks[-1].append(found[1])
        elif blocks[-1]:
            blocks.append([])
    return next((block for block in reversed(blocks) if block), [])


def _split(error: list[str]) -> tuple[str, str]:
    """Type and message of the error."""
    text = "\n".join(line for line in error if not REMARK.match(line)).strip("\n")
    if text.startswith("assert "):
        return "AssertionError", text
    first, _, rest = text.partition("\n")
    found = EXCEPTION.match(first)
    if found is None:
        return "", text
    return found["type"], "\n".join(part for part in (found["message"] or "", rest) if part)


def _test_line(lines: list[str], path: str) -> str:
    """Source line of the first frame that lies in the test's file."""
    for number, line in enumerate(lines):
        frame = FRAME.match(line)
        if frame and frame["path"] == path and number + 1 < len(lines):
            following = lines[number + 1]
            return following.strip() if following.startswith("    ") else ""
    return ""


def _values(exception: str, text: str, line: str) -> tuple[str, str]:
    """Expected and actual value, where the text or the failing statement tells which is which."""
    missing = NOT_RAISED.search(text)
    if exception in ("Failed", "AssertionError") and missing:
        what = missing["what"] or missing["unit"]
        names = re.findall(r"<class '([^']+)'>", what) or what.strip("()").split(", ")
        return " or ".join(name.removeprefix("builtins.") for name in names) + " is raised", "nothing is raised"
    first = next((part for part in text.splitlines() if part.startswith("assert ")), "")
    compared = _comparison(first.removeprefix("assert "))
    if compared and any("..." in side for side in compared):
        return "", ""
    if exception != "AssertionError" or compared is None:
        return "", ""
    left, right = compared
    return (left, right) if _wanted_first(line) else (right, left)


def _comparison(expression: str) -> tuple[str, str] | None:
    """Both sides of `==` or `is`, as text; a text that was shortened until it is no expression is split at the sign."""
    try:
        node = parse_expression(expression)
    except SyntaxError:
        sides = expression.split(" == ")
        return (sides[0], sides[1]) if len(sides) == 2 else None
    if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq | ast.Is) or len(node.ops) != 1:
        return None
    left, right = (ast.get_source_segment(expression, side) for side in (node.left, node.comparators[0]))
    return (left, right) if left and right else None


def _wanted_first(line: str) -> bool:
    """The statement has the wanted value on the left: a literal against something computed, or a telling name."""
    try:
        node = parse(line).body[0] if line.startswith("assert ") else None
    except SyntaxError:
        return False
    if not isinstance(node, ast.Assert) or not isinstance(node.test, ast.Compare):
        return False
    left, right = node.test.left, node.test.comparators[0]
    named = isinstance(left, ast.Name) and left.id in WANTED_NAMES
    return named or (_is_literal(left) and not _is_literal(right))


def _is_literal(node: ast.expr) -> bool:
    return all(
        isinstance(
            part, ast.Constant | ast.List | ast.Tuple | ast.Dict | ast.Set | ast.expr_context | ast.UnaryOp | ast.USub
        )
        for part in ast.walk(node)
    )
