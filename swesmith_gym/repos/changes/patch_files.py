"""Changes from patch files: one, or a folder of them in the order of its `series`, as quilt and Debian keep them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from swesmith_gym.errors import InputError, PatchDoesNotApply
from swesmith_gym.patch import MAX_PATCH_BYTES, apply_parsed
from swesmith_gym.repos.changes import headers, sections
from swesmith_gym.repos.changes.base import SourceChange

_SUFFIXES = (".patch", ".diff")
_MAILS = re.compile(rb"^(?=From [0-9a-f]{40} Mon Sep 17 00:00:00 2001\r?$)", re.MULTILINE)
_SERIES = "series"


def from_patches(path: Path) -> list[SourceChange]:
    """The changes of a patch file, or of all in a folder. In a folder, one that cannot be read is a change with a
    `fault`, so that it does not hold up the others.

    Raises: InputError (no such file or folder, nothing in it, a file without a diff, a single one that is malformed).
    """
    if path.is_dir():
        found = [(name, strip, path / name) for name, strip in _listed(path)]
        return [change for name, strip, file in found for change in _changes(name, _data(file, path), strip)]
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder; give a .patch or .diff file, or a folder of them")
    changes = _changes(path.name, _data(path, path.parent), None)
    for each in changes:
        if each.fault:
            raise InputError(f"{path}: not a usable patch: {each.fault}")
    return changes


def on_tree(changes: Iterable[SourceChange], files: Mapping[str, bytes]) -> list[SourceChange]:
    """The same, applied in turn to the tree that they were made for: with whole files, where that worked."""
    now: dict[str, bytes | None] = dict(files)
    found = []
    for change in changes:
        known = []
        for file in change.files:
            was = None if file.patch.before is None else now.get(file.patch.before)
            try:
                then = apply_parsed((file.patch,), now.get)
            except PatchDoesNotApply:
                known.append(file)
                continue
            now.update(then)
            known.append(replace(file, before=was, after=None if file.patch.after is None else then[file.patch.after]))
        found.append(replace(change, files=tuple(known)))
    return found


def _listed(folder: Path) -> Iterator[tuple[str, int | None]]:
    """Names of the patches below a folder, and how many folders to take off the paths in each."""
    series = folder / _SERIES
    if series.is_file():
        names = list(_series(series))
    else:
        files = (each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.suffix in _SUFFIXES)
        names = [(name, None) for name in sorted(files)]
    if not names:
        raise InputError(f"{folder}: it holds no .patch or .diff file, and no series that names one")
    yield from names


def _series(file: Path) -> Iterator[tuple[str, int | None]]:
    for line in file.read_text("utf-8", "replace").splitlines():
        words = line.partition(" #")[0].split() if not line.startswith("#") else []
        if words:
            levels = [word[2:] for word in words[1:] if re.fullmatch(r"-p\d", word)]
            yield words[0], int(levels[0]) if levels else 1


def _data(file: Path, folder: Path) -> bytes:
    if not file.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{file}: it leads out of {folder}")
    if not file.is_file():
        raise InputError(f"{file}: no such file, but {folder / _SERIES} names it")
    if file.stat().st_size > MAX_PATCH_BYTES:
        raise InputError(f"{file}: larger than {MAX_PATCH_BYTES >> 20} MiB, the limit of a patch")
    return file.read_bytes()


def _changes(name: str, data: bytes, strip: int | None) -> list[SourceChange]:
    """Those of one file: a mailbox holds many."""
    mails = [mail for mail in _MAILS.split(data) if mail.strip()]
    names = [name] if len(mails) < 2 else [f"{name}:{number}" for number in range(1, len(mails) + 1)]
    return [_change(each, mail, strip) for each, mail in zip(names, mails or [b""], strict=True)]


def _change(name: str, data: bytes, strip: int | None) -> SourceChange:
    try:
        found = sections.read(data, strip)
    except PatchDoesNotApply as error:
        return SourceChange(name, (), fault=str(error))
    if not found.files and not found.others:
        raise InputError(f"{name}: there is no diff in it (`--- a/FILE`, `+++ b/FILE`, `@@ … @@`)")
    text, origin = headers.described(found.head)
    return SourceChange(name, found.files, text, origin, found.others)
