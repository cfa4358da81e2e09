"""Taking tests out of a tree."""

from __future__ import annotations

from collections.abc import Collection

from swesmith_gym.errors import InputError
from swesmith_gym.languages.base import Files, HiddenTests
from swesmith_gym.languages.python.testing.ids import module_of

HOW = ("functions", "files", "none")


def hide(
    files: Files, ids: Collection[str], all_ids: Collection[str], *, how: str, keep: Collection[str]
) -> HiddenTests:
    """See `Language.hide_tests`. Raises: InputError (unknown `how`)."""
    if how not in HOW:
        raise InputError(f"unknown way to hide tests {how!r}: choose one of {', '.join(HOW)}")
    if how == "none":
        return HiddenTests({}, ())
    gone = {module_of(test_id) for test_id in ids if module_of(test_id) in files} - set(keep)
    hidden = tuple(sorted(test_id for test_id in all_ids if module_of(test_id) in gone))
    return HiddenTests(dict.fromkeys(sorted(gone)), hidden)


def test_source(files: Files, test_id: str) -> str:
    """See `Language.test_source`."""
    return ""
