"""Which contents hold what is looked for: originals and hidden tests as tokens or byte code, ids, changed lines."""

from __future__ import annotations

import re

from swesmith_gym.tasks.scan.inside import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

_WORDS = bytes(c if (chr(c).isalnum() and c < 128) or c == ord("_") else 32 for c in range(256))
"""Every byte that is no part of an ASCII word as a blank."""
_ASCII = re.compile(r"[A-Za-z0-9_]+")
Hit = tuple[str, str, str]
"""(what it belongs to, kind, detail)"""


class Search:
    """Compiled once from the order, asked for each content."""

    def __init__(self, order: dict[str, Any], copies: ModuleType) -> None:
        self._copies = copies
        self._deep = bool(order["deep"])
        self._needles = [
            (each["owner"], each["kind"], _join(each["tokens"]), bool(each["exact"]), each["where"], _asked(each))
            for each in order["needles"]
        ]
        self._originals = copies.Originals(
            [(each["owner"], each["source"], each["names"]) for each in order["originals"]]
        )
        self._shapes = [(each["owner"], each["name"], list(each["shape"])) for each in order["shapes"]]
        self._tests: dict[bytes, list[tuple[str, str, bytes]]] = {}
        for each in order["tests"]:
            stem = each["path"].rpartition("/")[2].rpartition(".")[0]
            self._tests.setdefault(stem.encode(), []).append((each["owner"], each["path"], each["name"].encode()))
        self._words = [(each["owner"], each["word"].encode()) for each in order["words"]]
        self._lines = [
            (each["owner"], each["file"].encode(), list(map(tuple, each["lines"]))) for each in order["lines"]
        ]

    def hits(self, data: bytes, in_tree: bool) -> Iterator[Hit]:
        """What one content holds, each once. `in_tree`: it belongs to the work tree, where much is alike."""
        found: dict[Hit, None] = {}
        owners, of_tree = self._originals.of_byte_code(data)
        for owner, name in owners:
            found[(owner, "byte code", name)] = None
        if of_tree:
            found[("", "tree byte code", "")] = None
        if self._deep or b"\0" not in data[:1024] or data[:2] in files.UTF_16:
            told = [text.encode("utf-8", "replace") for text in self._copies.retold(data)] if self._deep else []
            for each in (*files.variants(data, self._deep), *told):
                for hit in self._text(each, in_tree):
                    found[hit] = None
        yield from found

    def _text(self, data: bytes, in_tree: bool) -> Iterator[Hit]:
        words = set(data.translate(_WORDS).split())
        joined: dict[bool, str] = {}
        elsewhere = "rest" if in_tree else "tree"
        for owner, kind, text, exact, where, asked in self._needles:
            if where != elsewhere and asked <= words:
                if exact not in joined:
                    joined[exact] = _join(self._copies.tokens(data.decode("utf-8", "replace"), exact))
                if text in joined[exact]:
                    yield owner, kind, ""
        if self._deep and not in_tree:
            yield from self._retold(data, words)
        for stem, tests in self._tests.items():
            if stem in words:
                for owner, path, name in tests:
                    if name in words and _names_test(data, path.encode(), name):
                        yield owner, "test id", f"{path}::{name.decode()}"
        for owner, word in self._words:
            if word.split(b"-")[-1].split(b".")[-1] in words and word in data:
                yield owner, "word", word.decode()
        if self._lines and (b"\n@@ " in data or data.startswith(b"@@ ") or b"\n--- " in data or b"\n< " in data):
            yield from self._in_diff(data)

    def _retold(self, data: bytes, words: set[bytes]) -> Iterator[Hit]:
        """Copies with other names of variables, and printed byte code."""
        shapes = [each for each in self._shapes if each[1].encode() in words]
        tokens = self._copies.undocumented(data.decode("utf-8", "replace")) if shapes else []
        for owner, name, shape in shapes:
            if self._copies.has_shape(tokens, name, shape):
                yield owner, "code", "with other names"
        for owner, name in self._originals.of_listing(data):
            yield owner, "byte code", name

    def _in_diff(self, data: bytes) -> Iterator[Hit]:
        texts = [line for line in data.split(b"\n") if line[:1] in (b"-", b"+", b"<", b">")]
        heads = b"\n".join(line for line in texts if line[:3] in (b"---", b"+++")) + data[:500]
        lines: set[tuple[str, ...]] = set()
        for owner, path, wanted in self._lines:
            if path.rpartition(b"/")[2] in heads:
                lines = lines or {tuple(self._copies.tokens(t[1:].decode("utf-8", "replace"), True)) for t in texts}
                if any(line in lines for line in wanted):
                    yield owner, "diff", path.decode()


def _join(tokens: list[str]) -> str:
    return "\0" + "\0".join(tokens) + "\0"


def _asked(needle: dict[str, Any]) -> frozenset[bytes]:
    """The words that a content must hold to be looked at closely."""
    return frozenset(token.encode() for token in needle["tokens"] if _ASCII.fullmatch(token))


def _names_test(data: bytes, path: bytes, name: bytes) -> bool:
    """The id of a test as the runner writes it (also inside a class), or as reports write it, with dots."""
    dotted = path.rpartition(b".")[0].replace(b"/", b".")
    for way in (path, dotted, path.replace(b"/", b"\\/")):
        for part in data.split(way)[1:]:
            if re.search(rb"\b" + re.escape(name) + rb"\b", part[:200]):
                return True
    return False
