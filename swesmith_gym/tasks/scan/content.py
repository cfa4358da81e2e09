"""Contents and files that should not be there: which leak each of them is, by its kind and its place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from swesmith_gym.sandboxes.base import WORKDIR
from swesmith_gym.tasks.scan.findings import Finding
from swesmith_gym.tasks.scan.look import Answer, Hit
from swesmith_gym.tasks.tree import Tree

_CACHES = re.compile(
    r"(^|/)(\.\w+_cache|htmlcov|\.coverage[^/]*|coverage\.\w+|\.tox|\.nox|\.hypothesis|_build|_modules|\.ipynb_checkpoints"
    r"|\.idea|\.vscode)(/|$)|\.(orig|rej|bak|sw[op]|cover)$|~$"
)
_BYTE_CODE = re.compile(r"(^|/)__pycache__(/|$)|\.py[co]$")
_BUILT = re.compile(
    r"(^|/)(build|dist|\.eggs|\.?cache|wheels?|sdists?|[^/]*\.(egg|dist)-info)(/|$)|\.(whl|egg|zip|tar|tgz|gz|bz2|xz)$"
)
_OUTPUT = re.compile(r"(^|/)([^/]*(report|junit|results?|verif|grad(e|ing))[^/]*|[^/]*\.log)$", re.IGNORECASE)
_ANSWER = re.compile(r"\.(patch|diff)$|patch|solution|gold|fix|answer|(^|/)\w*tests?(/|$|_|\.)", re.IGNORECASE)
_IMPORTED = re.compile(r"/(site|dist)-packages/|/lib/python3")
_SAYS = {
    "code": "the text of the original",
    "test": "the text of a hidden test",
    "byte code": "byte code of the original",
    "tree byte code": "byte code compiled from the work tree",
    "test id": "a FAIL_TO_PASS test by name",
    "word": "the id of the task",
    "diff": "a diff with the changed lines",
}


def of_hits(answer: Answer, instance_id: str = "") -> Iterator[Finding]:
    """Every content that holds something. `instance_id`: whose those are that belong to no task in particular."""
    for hit in answer.hits:
        yield Finding(hit.owner or instance_id, leak_of(hit), hit.place, _say(hit))


def _say(hit: Hit) -> str:
    return f"{_SAYS.get(hit.kind, hit.kind)}{': ' + hit.detail if hit.detail else ''}"


def leak_of(hit: Hit) -> str:
    """Which leak a hit is."""
    place = hit.place
    outer = place.partition("!")[0]
    if f"{WORKDIR}/.git " in place:
        return "L03"
    if hit.kind == "word":
        return "L16"
    if hit.kind.endswith("byte code") or _BYTE_CODE.search(outer):
        return "L11"
    if _CACHES.search(outer):
        return "L12"
    if hit.kind in ("test", "test id", "diff"):
        return "L14" if hit.kind == "test id" and _OUTPUT.search(outer) else "L13"
    if "!" in place or _BUILT.search(outer) or "/.git" in place:
        return "L10"
    if _IMPORTED.search(outer):
        return "L09"
    return "L13" if _ANSWER.search(outer) else "L10"


def by_name(path: str) -> str:
    """Which leak a file is that should not be there, by its name; empty where the name does not say."""
    rules = (
        (re.compile(r"(^|/)\.git(/|$)"), "L04"),
        (_BYTE_CODE, "L11"),
        (_CACHES, "L12"),
        (_BUILT, "L10"),
        (_OUTPUT, "L14"),
        (_ANSWER, "L13"),
    )
    return next((leak for rule, leak in rules if rule.search(path.rstrip("/"))), "")


def of_tree(answer: Answer, sealed: Tree, instance_id: str) -> Iterator[Finding]:
    """The work tree is the sealed one: no file more, none less, none other."""
    expected = {path: hashlib.sha256(data).hexdigest() for path, (_, data) in sealed.items()}
    folders = {path[: at + 1] for path in sealed for at, sign in enumerate(path) if sign == "/"}
    seen = set()
    for entry in answer.entries:
        seen.add(entry.path)
        place = f"{WORKDIR}/{entry.path}"
        if entry.path == ".git/":
            continue
        if entry.path.endswith("/"):
            if entry.path not in folders:
                yield Finding(instance_id, by_name(entry.path) or "L13", place, "a folder that was not sealed")
        elif entry.path not in expected:
            yield Finding(instance_id, by_name(entry.path) or "L13", place, "a file that was not sealed")
        elif entry.sha256 != expected[entry.path]:
            yield Finding(instance_id, "L05", place, "not as it was sealed")
    for path in sorted(expected.keys() - seen):
        yield Finding(instance_id, "L05", f"{WORKDIR}/{path}", "missing: it was sealed")


def of_caches(answer: Answer, instance_id: str) -> Iterator[Finding]:
    """Caches of tools in an image: none is needed, and what they hold is of the original."""
    for path in answer.caches:
        yield Finding(instance_id, by_name(path) or "L12", path, "a cache or left-over of a tool")


def of_empty_places(answer: Answer, home: str, instance_id: str) -> Iterator[Finding]:
    """Nothing lies where an episode begins with nothing, but the folders that lead home."""
    for path in answer.left:
        if path.endswith("/") and f"{home}/".startswith(path):
            continue
        yield Finding(instance_id, by_name(path) or "L18", path, "there before the episode began")
