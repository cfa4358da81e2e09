"""New code in functions that are there already: a bug is put into a suite that has been collected without it.

Only code that has not run yet can be exchanged. The whole file is compiled, so that all its functions have the lines
that they now stand on. Where it is not certain that every function which lives is met, nothing is changed.
"""

from __future__ import annotations

import gc
import linecache
import os
import sys
from types import AsyncGeneratorType, CodeType, CoroutineType, FunctionType, GeneratorType
from typing import Any, Dict, Iterable, Iterator, List, Tuple  # noqa: UP035  (3.8 cannot subscript those of collections.abc)

from .memo import Memo

Pair = Tuple[CodeType, CodeType]  # noqa: UP006
New = Tuple[Any, CodeType]  # noqa: UP006
"""A function, and the code that it gets."""
KIND = 0x02 | 0x04 | 0x08 | 0x20 | 0x80 | 0x100 | 0x200
"""Flags of a code object that say what calling it gives: arguments, generator, coroutine."""
BEGUN = {GeneratorType: "gi", CoroutineType: "cr", AsyncGeneratorType: "ag"}
"""Kinds of objects that hold code which goes on later, and the beginnings of their attributes' names."""


class Refused(Exception):
    """The text says why the code cannot be exchanged."""


class Exchange:
    """The functions of a process that has collected, by their code."""

    def __init__(self, root: str, memo: Memo) -> None:
        """Before `gc.freeze`, which hides what there is."""
        self._root = root
        self._memo = memo
        self._functions: Dict[str, List[Any]] = {}  # noqa: UP006
        self._fixed: Dict[str, str] = {}  # noqa: UP006
        """File -> why none of its code can be exchanged."""
        self._real: Dict[str, str] = {}  # noqa: UP006
        for each in gc.get_objects():
            code = _code(each)
            if code is not None:
                self._met(each, code.co_filename)

    def _met(self, each: Any, name: str) -> None:
        if name not in self._real:
            self._real[name] = os.path.realpath(name)
        path = self._real[name]
        if not path.startswith(self._root + "/"):
            return
        if type(each) is FunctionType:
            self._functions.setdefault(path, []).append(each)
        else:
            self._fixed[path] = f"{each.__qualname__} has begun"
        if path != name:
            self._fixed[path] = "it was loaded by another name"

    def found(self, files: dict[str, str | None]) -> list[New]:
        """What makes all functions of these files (relative path -> text) what the texts say. Raises: Refused."""
        return [pair for path, text in files.items() for pair in self._changed(path, text)]

    def _changed(self, name: str, text: str | None) -> list[New]:
        path = os.path.join(self._root, name)
        functions = self._functions.get(path, [])
        if text is None or not name.endswith(".py"):
            raise Refused(f"{name} is no module that stays")
        if path in self._fixed:
            raise Refused(f"{name}: {self._fixed[path]}")
        known = self._memo.compiled(path)
        if known is None:
            if functions or any(getattr(module, "__file__", None) == path for module in list(sys.modules.values())):
                raise Refused(f"{name} was loaded in a way of its own")
            return []
        new = _compiled(path, text)
        pairs = list(_pairs(known, new))
        if sys.version_info >= (3, 13) and any(map(_has_moved, pairs)):
            raise Refused(f"{name}: classes know which lines they stand on")
        codes = {id(old): code for old, code in pairs}
        lost = [function for function in functions if id(function.__code__) not in codes]
        if lost:
            raise Refused(f"{name}: {lost[0].__qualname__} has no counterpart")
        return [(function, codes[id(function.__code__)]) for function in functions]


def put(found: Iterable[New]) -> None:
    """Give functions their new code."""
    for function, code in found:
        function.__code__ = code
    linecache.clearcache()


def _code(each: Any) -> CodeType | None:
    """Of a function, or of what a function has begun and not ended; None: of nothing like that."""
    kind = type(each)
    if kind is FunctionType:
        return each.__code__  # type: ignore[no-any-return]
    prefix = BEGUN.get(kind)
    return None if prefix is None else getattr(each, f"{prefix}_code")


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


def _has_moved(pair: Pair) -> bool:
    """It is the body of a class, and begins on another line."""
    before, after = pair
    return not before.co_flags & 0x01 and before.co_firstlineno != after.co_firstlineno


def _inner(code: CodeType) -> list[CodeType]:
    return [const for const in code.co_consts if isinstance(const, CodeType)]


def _arguments(code: CodeType) -> tuple[Any, ...]:
    number = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)
    return code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_varnames[:number]
