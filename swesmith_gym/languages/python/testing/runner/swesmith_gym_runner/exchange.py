"""New code in functions that are there already: a bug is put into a suite that has been collected without it.

Only code that has not run yet can be exchanged. The whole file is compiled, so that all its functions have the lines
that they now stand on. Where it is not certain that every function which lives is met, nothing is changed.
"""

from __future__ import annotations

import gc
import linecache
import os
import sys
from types import CodeType, FunctionType
from typing import Any, Dict, Iterator, List, Tuple  # noqa: UP035  (3.8 cannot subscript those of collections.abc)

from .memo import Memo

Pair = Tuple[CodeType, CodeType]  # noqa: UP006
KIND = 0x02 | 0x04 | 0x08 | 0x20 | 0x80 | 0x100 | 0x200
"""Flags of a code object that say what calling it gives: arguments, generator, coroutine."""


class Refused(Exception):
    """The text says why the code cannot be exchanged."""


class Exchange:
    """The functions of a process that has collected, by their code."""

    def __init__(self, root: str, memo: Memo) -> None:
        """Before `gc.freeze`, which hides what there is."""
        self._root = root
        self._memo = memo
        self._functions: Dict[str, List[Any]] = {}  # noqa: UP006
        for each in gc.get_objects():
            if type(each) is FunctionType and each.__code__.co_filename.startswith(root + "/"):
                self._functions.setdefault(each.__code__.co_filename, []).append(each)

    def apply(self, files: dict[str, str | None]) -> None:
        """Make all functions of these files (relative path -> text) what the texts say. Raises: Refused."""
        found = [pair for path, text in files.items() for pair in self._changed(path, text)]
        for function, code in found:
            function.__code__ = code
        linecache.clearcache()

    def _changed(self, name: str, text: str | None) -> list[tuple[Any, CodeType]]:
        path = os.path.join(self._root, name)
        functions = self._functions.get(path, [])
        if text is None or not name.endswith(".py"):
            raise Refused(f"{name} is no module that stays")
        known = self._memo.compiled(path)
        if known is None:
            if functions or any(getattr(module, "__file__", None) == path for module in list(sys.modules.values())):
                raise Refused(f"{name} was loaded in a way of its own")
            return []
        new = _compiled(path, text)
        codes = {id(old): code for old, code in _pairs(known, new)}
        lost = [function for function in functions if id(function.__code__) not in codes]
        if lost:
            raise Refused(f"{name}: {lost[0].__qualname__} has no counterpart")
        return [(function, codes[id(function.__code__)]) for function in functions]


def _compiled(path: str, text: str) -> CodeType:
    try:
        code: CodeType = compile(text.encode("utf-8", "surrogateescape"), path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise Refused(str(error)) from error
    return code


def _pairs(old: CodeType, new: CodeType) -> Iterator[Pair]:
    """Code objects of two texts that stand for the same function. Those in a function whose inner ones do not fit
    together are left out."""
    inner_old, inner_new = _inner(old), _inner(new)
    if [code.co_name for code in inner_old] != [code.co_name for code in inner_new]:
        return
    for before, after in zip(inner_old, inner_new):  # noqa: B905  (3.8 has no `strict`)
        alike = before.co_flags & KIND == after.co_flags & KIND and _arguments(before) == _arguments(after)
        if alike and before.co_freevars == after.co_freevars:
            yield before, after
        yield from _pairs(before, after)


def _inner(code: CodeType) -> list[CodeType]:
    return [const for const in code.co_consts if isinstance(const, CodeType)]


def _arguments(code: CodeType) -> tuple[Any, ...]:
    number = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)
    return code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_varnames[:number]
