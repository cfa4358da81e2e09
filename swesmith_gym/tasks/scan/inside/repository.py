"""What git knows in the work tree: commits, references, every object, settings. Nothing is judged here."""

from __future__ import annotations

import os
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_TIMEOUT_S = 60


def git(folder: str, *args: str, of: str = "") -> bytes:
    """Output of a git command that reads; empty where it fails."""
    env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_CONFIG_COUNT": "1"}
    env.update({"GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*", "LC_ALL": "C"})
    if of:
        env["GIT_DIR"] = of
    done = subprocess.run(["git", *args], cwd=folder, env=env, capture_output=True, timeout=_TIMEOUT_S, check=False)
    return done.stdout if done.returncode == 0 else b""


def facts(folder: str) -> dict[str, Any]:
    """Everything that the host judges, as lists of lines."""

    def lines(*args: str) -> list[str]:
        return git(folder, *args).decode("utf-8", "replace").splitlines()

    top = os.path.join(folder, ".git")
    names = [os.path.relpath(os.path.join(parent, name), top) for parent, _, files in os.walk(top) for name in files]
    alternates = os.path.join(top, "objects/info/alternates")
    return {
        "commits": lines("rev-list", "--all", "HEAD"),
        "head": lines("rev-parse", "HEAD"),
        "branch": lines("symbolic-ref", "-q", "HEAD"),
        "references": lines("for-each-ref", "--format=%(refname)"),
        "objects": lines("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"),
        "reachable": lines("rev-list", "--objects", "--no-object-names", "HEAD"),
        "settings": lines("config", "--list", "--name-only"),
        "remotes": lines("config", "--get-regexp", r"^(remote|branch|url|include|includeif|submodule)\."),
        "worktrees": [line for line in lines("worktree", "list", "--porcelain") if line.startswith("worktree ")],
        "status": lines("status", "--porcelain", "--ignored", "--untracked-files=all"),
        "flags": [line for line in lines("ls-files", "-v") if line[:1] not in ("H", "")],
        "commit": lines("cat-file", "commit", "HEAD"),
        "files": sorted(n for n in names if not _is_object(n)),
        "alternates": [alternates] if os.path.exists(alternates) else [],
    }


def _is_object(name: str) -> bool:
    parts = name.split("/")
    return parts[0] == "objects" and len(parts) == 3 and len(parts[1]) == 2


def objects(folder: str, of: str = "") -> Iterator[tuple[str, bytes]]:
    """(id, content) of every object that the store holds, reachable or not."""
    raw = git(folder, "cat-file", "--batch-all-objects", "--batch", "--buffer", of=of)
    place = 0
    while place < len(raw):
        end = raw.find(b"\n", place)
        head = raw[place:end].split()
        if end < 0 or len(head) != 3 or not head[2].isdigit():
            return
        size = int(head[2])
        yield f"{head[1].decode()} {head[0].decode()}", raw[end + 1 : end + 1 + size]
        place = end + size + 2
