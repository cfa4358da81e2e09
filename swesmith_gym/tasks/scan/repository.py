"""What git may know of a sealed tree: one commit of exactly that tree, one reference, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from swesmith_gym.sandboxes.base import WORKDIR
from swesmith_gym.tasks.scan.findings import Finding

BRANCH = "refs/heads/main"
_FILES = frozenset({"HEAD", "config", "index", BRANCH})
_SETTINGS = frozenset(
    {"core.repositoryformatversion", "core.filemode", "core.bare", "core.logallrefupdates", "safe.directory"}
)
_WHO = "developer <developer@localhost> 1577836800 +0000"
_MESSAGE = "Initial commit"
_REFERENCES = {"refs/notes/": "L04", "refs/stash": "L04", "refs/worktree/": "L04", "refs/remotes/": "L02"}
_NAMES = {"logs/": "L02", "objects/pack/": "L03", "refs/tags/": "L02", "refs/heads/": "L02", "refs/remotes/": "L02"}
_TRANSPORT = ("remote.", "branch.", "url.", "submodule.", "credential.", "http.", "pull.", "push.", "include")


def findings(facts: Mapping[str, list[str]], instance_id: str) -> Iterator[Finding]:
    """Everything beyond that."""
    for leak, place, what in (
        *_history(facts),
        *_references(facts),
        *_objects(facts),
        *_files(facts),
        *_settings(facts),
        *_commit(facts),
    ):
        yield Finding(instance_id, leak, f"{WORKDIR}/.git {place}".rstrip(), what)


Found = Iterator[tuple[str, str, str]]


def _history(facts: Mapping[str, list[str]]) -> Found:
    commits = facts.get("commits", [])
    if len(set(commits)) != 1 or facts.get("head") != commits[:1]:
        yield "L01", "commits", f"{len(set(commits))} commits instead of one"
    parents = [line for line in facts.get("commit", []) if line.startswith("parent ")]
    if parents:
        yield "L05", "HEAD", f"the commit has {len(parents)} parents"
    changed = [line for line in facts.get("status", []) if line[:2] not in ("!!", "??")]
    if changed:
        yield "L05", "HEAD", f"the commit is of another tree: {changed[0].strip()}"


def _references(facts: Mapping[str, list[str]]) -> Found:
    if facts.get("branch") != [BRANCH]:
        yield "L02", "HEAD", f"on {facts.get('branch') or 'no branch'}"
    for name in facts.get("references", []):
        if name != BRANCH:
            yield (
                next((leak for start, leak in _REFERENCES.items() if name.startswith(start)), "L02"),
                name,
                "a reference",
            )
            if name.startswith(("refs/heads/", "refs/remotes/")):
                yield "L06", name, "another branch"
    for folder in facts.get("worktrees", [])[1:]:
        yield "L04", folder, "another work tree"


def _objects(facts: Mapping[str, list[str]]) -> Found:
    stored = {line.split(" ")[0]: line for line in facts.get("objects", [])}
    beyond = sorted(stored[name] for name in stored.keys() - set(facts.get("reachable", [])))
    if beyond:
        yield "L03", "objects", f"{len(beyond)} objects that HEAD does not reach, the first is {beyond[0]}"
    if not stored:
        yield "L03", "objects", "they cannot be listed"


def _files(facts: Mapping[str, list[str]]) -> Found:
    for name in facts.get("files", []):
        if name not in _FILES:
            yield (
                next((leak for start, leak in _NAMES.items() if name.startswith(start)), "L04"),
                name,
                "a file of git's",
            )
    for line in facts.get("flags", []):
        yield "L04", "index", f"an entry with a flag: {line}"
    for path in facts.get("alternates", []):
        yield "L04", path, "objects are borrowed from another repository"


def _settings(facts: Mapping[str, list[str]]) -> Found:
    for line in facts.get("remotes", []):
        yield "L07", "config", line
    for name in facts.get("settings", []):
        if name not in _SETTINGS:
            yield "L07" if name.startswith(_TRANSPORT) else "L04", "config", f"the setting {name}"


def _commit(facts: Mapping[str, list[str]]) -> Found:
    lines = facts.get("commit", [])
    head, _, message = "\n".join(lines).partition("\n\n")
    for line in head.split("\n"):
        kind, _, value = line.partition(" ")
        if kind in ("author", "committer") and value != _WHO:
            yield "L16", "HEAD", f"{kind} {value}"
        elif kind not in ("tree", "parent", "author", "committer"):
            yield "L16", "HEAD", f"the commit has a line {kind!r}"
    if message.strip() != _MESSAGE:
        yield "L16", "HEAD", f"the message {message.strip()[:80]!r}"
