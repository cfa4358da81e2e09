"""Rewritings that change how a program looks and nothing else. Not a benchmark."""

from __future__ import annotations

import ast
import random
from collections.abc import Sequence

from _source import SCOPES, Edit, Rewritten, Source, own, peeks, returns, value_span

_COMMENTS = (b"# The order matters here.", b"# See the issue.", b"# NOTE: kept as it was before.", "# ≥ 1 é".encode())


def comments_added(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    for function in source.functions(lines):
        places = [node for node in own(function) if isinstance(node, ast.stmt) and source.own_line(node)]
        if places and not peeks(function):
            chosen = {source.line(n.lineno): n for n in rng.sample(places, min(3, len(places)))}
            return Rewritten(
                [
                    Edit(at, at, b"\n" * rng.randrange(2) + source.indent(n) + rng.choice(_COMMENTS) + b"\n")
                    for at, n in chosen.items()
                ]
            )
    return None


def docstring_added(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    del rng
    for function in source.functions(lines):
        first = function.body[0]
        if not ast.get_docstring(function) and source.own_line(first) and not isinstance(first, SCOPES):
            text = source.indent(first) + b'"""What it gives is described in the issue."""\n'
            return Rewritten([Edit(source.line(first.lineno), source.line(first.lineno), text)])
    return None


def lines_broken(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    for function in source.functions(lines):
        if found := returns(source, function):
            node = rng.choice(found)
            begin, end = value_span(source, node)
            pad = source.indent(node)
            value = source.text[begin:end]
            return Rewritten([Edit(begin, end, b"(\n" + pad + b"    " + value + b"\n" + pad + b")")])
    return None


def carriage_returns(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    del lines, rng
    if b"\r" in source.text or source.text.startswith(b"\xef\xbb\xbf"):
        return None
    return Rewritten([Edit(0, len(source.text), source.text.replace(b"\n", b"\r\n"))])


def no_last_line_end(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    del lines, rng
    end = len(source.text.rstrip())
    return Rewritten([Edit(end, len(source.text), b"")])


def spaces_at_line_ends(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    """Behind statements only: inside of a string they would be part of it."""
    for function in source.functions(lines):
        if found := returns(source, function):
            end = source.end(rng.choice(found))
            return Rewritten([Edit(end, end, b"  \t")])
    return None


def byte_order_mark(source: Source, lines: Sequence[int], rng: random.Random) -> Rewritten | None:
    del lines, rng
    return None if source.text.startswith(b"\xef\xbb\xbf") else Rewritten([Edit(0, 0, b"\xef\xbb\xbf")])
