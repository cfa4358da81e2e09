"""Which files of a machine are copies of a repository's packages and modules: by the paths that they are imported by.

A module's path is what it is imported as, with slashes: `thing/parts`, `thing/__init__`, `six`. A file belongs to a
copy where its own path ends with the path of a module of the tree, whatever stands in front: `site-packages`, an
archive, `pip/_vendor`. A package is covered as a whole. A single module has a path that says little (`utils`), so its
text has to be like the tree's. The standard library is nobody's copy: nothing runs without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from swesmith_gym.languages.python.testing.surface import TEST_FOLDERS

_CODE = re.compile(r"\.(?:py[iwx]?|py[co]|(?:cpython|abi3|pypy)[^/]*\.so)$")
_ABOUT = re.compile(r"\.(?:dist|egg)-info/(?:METADATA|PKG-INFO|RECORD)$")
_STANDARD = re.compile(r"/lib\w*/python\d+\.\d+/(?!(?:site|dist)-packages/)[^!]*$|/python\d+\.zip!")
_INIT = "__init__"
_NAMELESS = TEST_FOLDERS | {_INIT, "__main__"}
"""What many trees have at their top: no name to know a copy by."""
_LEAST_LINE = 12
"""Characters of a line that tells one text from another."""
_LEAST_SHARED = 0.2
"""Of such lines: releases of a module that are years apart still share more, different modules less."""


def may_be_copy(path: str) -> bool:
    """Text, byte code or compiled code of a module, or what is told about a distribution."""
    return bool(_CODE.search(path) or _ABOUT.search(path))


def find(own: Collection[str], listing: Collection[str], alike: Callable[[str, str], bool]) -> set[str]:
    """The files and folders to cover. `own`: source files of the tree, relative. `listing`: files of the machine,
    absolute, `ARCHIVE!MEMBER` for one in an archive. `alike`: two files, of the tree and the machine, share their text.
    """
    modules = {module: path for path in own if _has_name(path, module := _imported_as(path, own))}
    telling = {module for module in modules if not _empty_shell(module, modules)}
    parts = [(path, place, module) for path, place, module in _readings(listing, modules) if module in telling]
    packages = {_parent(path) for path in listing if f"/{_INIT}." in path} if parts else set()
    found = {
        _whole(path, place, module, packages)
        for path, place, module in parts
        if "/" in module or "!" in path or alike(modules[module], path)
    }
    return found | set(_about(found, listing))


def _imported_as(path: str, own: Collection[str]) -> str:
    """From the outermost folder of the tree that is a package."""
    folder, _, name = path.rpartition("/")
    module = name.partition(".")[0]
    while folder and f"{folder}/{_INIT}.py" in own:
        folder, _, name = folder.rpartition("/")
        module = f"{name}/{module}"
    return module


def _has_name(path: str, module: str) -> bool:
    """A package or module that others may carry along; tests are not."""
    outside = path.removesuffix(".py").removesuffix(module).split("/")
    return _NAMELESS.isdisjoint((*outside, module.partition("/")[0]))


def _empty_shell(module: str, modules: Collection[str]) -> bool:
    """The first file of a package that has others: packages of the same name have one, too."""
    package, _, name = module.rpartition("/")
    return name == _INIT and any(each.startswith(f"{package}/") for each in modules if each != module)


def _readings(listing: Collection[str], modules: Collection[str]) -> Iterator[tuple[str, int, str]]:
    """(file, where a module's path begins in it, that path) for every way to read a file as one of those modules."""
    names = {module.partition("/")[0] for module in modules}
    marks = [f"{sign}{name}" for name in names for sign in "/!"]
    start = re.compile(rf"[/!](?={'|'.join(map(re.escape, sorted(names)))})")
    for path in listing:
        if any(mark in path for mark in marks) and not _STANDARD.search(path):
            for match in start.finditer(path):
                folder, _, name = path[match.end() :].replace("__pycache__/", "").rpartition("/")
                stem = name.partition(".")[0]
                yield path, match.end(), f"{folder}/{stem}" if folder else stem


def _parent(path: str) -> str:
    return path.rpartition("/")[0].removesuffix("/__pycache__")


def _whole(path: str, place: int, module: str, packages: Collection[str]) -> str:
    """The archive; the package where it is one; else the file alone."""
    archive, packed, _ = path.partition("!")
    top = path[:place] + module.partition("/")[0]
    return archive if packed else top if "/" in module and top in packages else path


def _about(found: Collection[str], listing: Collection[str]) -> Iterator[str]:
    """What stands beside a copy and tells of it: its version, its description, its files."""
    if not found:
        return
    beside = {(_parent(path), _plain(path.rpartition("/")[2].partition(".")[0])) for path in found}
    for path in listing:
        if "!" not in path and _ABOUT.search(path):
            folder, _, name = _parent(path).rpartition("/")
            if (folder, _plain(re.split(r"-\d|\.(?:dist|egg)-info$", name)[0])) in beside:
                yield f"{folder}/{name}"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()


def alike(one: Path, other: Path) -> bool:
    """The second text holds a good part of the first one's lines. Byte code goes by the text beside it."""
    if other.suffix != ".py":
        folder = other.parent.parent if other.parent.name == "__pycache__" else other.parent
        other = folder / f"{other.name.partition('.')[0]}.py"
    lines = _lines(one)
    return bool(lines) and (not other.is_file() or len(lines & _lines(other)) >= _LEAST_SHARED * len(lines))


def _lines(path: Path) -> set[str]:
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return set()
    return {line for each in text.splitlines() if len(line := each.strip()) >= _LEAST_LINE}
