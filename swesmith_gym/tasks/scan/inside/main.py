"""One pass: walk, search, gather facts, and print one JSON object."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import sys

from swesmith_gym.tasks.scan.inside import files, repository, search, surroundings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


def run(order: dict[str, Any], copies: ModuleType) -> None:
    """Carry out the order; its form is that of `look.order`."""
    answer = _Answer(order, search.Search(order, copies))
    for path, found in files.walk(order["roots"], order["skipped"], tuple(order["part"])):
        answer.add(path, found)
    if order["facts"]:
        tree = order["tree"]
        answer.facts = {"git": repository.facts(tree), "around": surroundings.facts(), "home": _listed(order["empty"])}
        for name, data in repository.objects(tree):
            answer.search(f"{tree}/.git {name}", data)
    for folder in sorted(answer.stores):
        for name, data in repository.objects(folder, of=folder):
            answer.search(f"{folder} {name}", data)
    json.dump(answer.told(), sys.stdout)


class _Answer:
    def __init__(self, order: dict[str, Any], asked: search.Search) -> None:
        self._order = order
        self._asked = asked
        self._hits: list[list[str]] = []
        self._entries: list[list[Any]] = []
        self._names: list[str] = []
        self._caches: list[str] = []
        self._left_over = re.compile(order["caches"]) if order["caches"] else None
        self._counts = [0, 0]
        self.stores: set[str] = set()
        self.facts: dict[str, Any] = {}

    def add(self, path: str, found: os.stat_result) -> None:
        """One file: look at its name, and into it."""
        tree, top = self._order["tree"] + "/", self._order["tree"] + "/.git/"
        own = path.startswith(tree) and not path.startswith(top)
        parent, _, name = path.rstrip("/").rpartition("/")
        lower = name.lower()
        if any(word in lower for word in self._order["names"]):
            self._names.append(path)
        if self._left_over and self._left_over.match(name):
            self._caches.append(path)
        if path.endswith("/"):
            if name == "objects" and os.path.isdir(path + "pack") and parent != top[:-1]:
                self.stores.add(parent)
            if own:
                self._entries.append([path[len(tree) :], *_facts(found), ""])
            return
        data = files.read(path, found.st_size, own) if stat.S_ISREG(found.st_mode) else b""
        if own:
            text = data if stat.S_ISREG(found.st_mode) else os.fsencode(_target(path))
            self._entries.append([path[len(tree) :], *_facts(found), hashlib.sha256(text).hexdigest()])
        self._counts[0] += 1
        self._counts[1] += len(data)
        if path.startswith(top):
            return
        for name, value in ((path, data), *_attributes(path)) if self._order["deep"] else ((path, data),):
            for place, content in files.contents(name, value, self._order["deep"]) if value else ():
                self.search(place, content)

    def search(self, place: str, data: bytes) -> None:
        """Note what one content holds."""
        in_tree = place.startswith(self._order["tree"] + "/")
        self._hits += [[owner, kind, place, detail] for owner, kind, detail in self._asked.hits(data, in_tree)]

    def told(self) -> dict[str, Any]:
        """What goes to the host."""
        return {
            "hits": self._hits,
            "entries": self._entries,
            "names": self._names,
            "caches": self._caches,
            "facts": self.facts,
            "files": self._counts[0],
            "bytes": self._counts[1],
        }


def _facts(found: os.stat_result) -> list[int]:
    return [found.st_mode, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev]


def _attributes(path: str) -> list[tuple[str, bytes]]:
    """(place, value) of what is attached to a file beside its content."""
    try:
        names = os.listxattr(path, follow_symlinks=False)
        return [(f"{path}!{name}", os.getxattr(path, name, follow_symlinks=False)) for name in names]
    except OSError:
        return []


def _target(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _listed(folders: list[str]) -> list[str]:
    """Everything in folders that have to be empty when an episode begins."""
    return [path for path, _ in files.walk(folders, [], (0, 1))]
