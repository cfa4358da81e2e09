"""Test files collected anew in a process that has collected them before, as other files."""

from __future__ import annotations

import importlib
import sys
from typing import Any, Iterable  # noqa: UP035  (3.8 cannot subscript those of collections.abc)

import pytest


def collect(session: Any, paths: Iterable[str]) -> None:
    """Load these files (as pytest names them) anew, and have their items chosen and reported as a collection's are.

    Raises: KeyError (no test of a file is known), whatever the files raise.
    """
    wanted = frozenset(paths)
    known = {str(item.fspath): item for item in session.items if str(item.fspath) in wanted}
    old = [known[path].getparent(pytest.Module) for path in sorted(wanted)]
    without_rewriting()
    _forget(wanted)
    importlib.invalidate_caches()
    items = [item for module in old for item in session.genitems(_another(module))]
    session.config.hook.pytest_collection_modifyitems(session=session, config=session.config, items=items)


def _another(module: Any) -> Any:
    """A module of the same place, among those that it knows fixtures from."""
    where = {"path": module.path} if hasattr(module, "path") else {"fspath": module.fspath}
    return type(module).from_parent(module.parent, **where)


def without_rewriting() -> None:
    """Tests are loaded as they are written: collecting is faster, failing tests say less."""
    sys.meta_path[:] = [each for each in sys.meta_path if type(each).__name__ != "AssertionRewritingHook"]


def _forget(paths: frozenset[str]) -> None:
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) in paths:
            del sys.modules[name]
            parent, _, child = name.rpartition(".")
            if getattr(sys.modules.get(parent), child, None) is module:
                delattr(sys.modules[parent], child)
