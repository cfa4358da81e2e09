"""A pytest session that has begun and has collected nothing: suites are forks of it, which saves them the beginning.

It has loaded no conftest file, since those load the work tree: each fork loads its own. Where one of them has a hook
that is called before that, or the repository's options load modules of the tree, suites have to begin by themselves.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
from typing import Any, Callable, NoReturn  # noqa: UP035  (3.8 cannot subscript those of collections.abc)

import pytest

from . import processes, recollect, session, suite
from .lines import Lines
from .memo import Memo

EARLY = ("pytest_addoption", "pytest_cmdline_main", "pytest_cmdline_parse", "pytest_load_initial_conftests",
         "pytest_sessionstart")  # fmt: skip
"""Hooks of a conftest file that come too late in a fork."""


class LateConftests:
    """The initial conftest files, loaded when that is asked for."""

    def __init__(self) -> None:
        self._load: Callable[[], None] | None = None
        original: Any = pytest.PytestPluginManager._set_initial_conftests

        def _set_initial_conftests(manager: Any, *args: Any, **options: Any) -> None:
            self._load = lambda: original(manager, *args, **options)

        setattr(pytest.PytestPluginManager, "_set_initial_conftests", _set_initial_conftests)  # noqa: B010  (private)

    def load(self, config: Any) -> str:
        """Load them now; gives the name of a hook that comes too late, or nothing."""
        before = set(config.pluginmanager.get_plugins())
        if self._load is not None:
            self._load()
        new = set(config.pluginmanager.get_plugins()) - before
        return next((hook for hook in EARLY if any(hasattr(plugin, hook) for plugin in new)), "")


class BasePlugin:
    """Forks where the session would begin to collect."""

    def __init__(self, root: str, control: Lines, memo: Memo, conftests: LateConftests) -> None:
        self._root = root
        self._control = control
        self._memo = memo
        self._conftests = conftests
        self.joined: suite.Joined | None = None
        """Of the suite that this process is the fork for."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: Any) -> None:
        """Serves orders, each with the socket of a new suite. Returns in forks only."""
        fit = not foreign_modules(self._root)
        self._control.send({"fit": fit})
        gc.collect()
        gc.freeze()
        while True:
            order = self._control.wait()
            if order is None:
                os._exit(0)
            end = self._control.socket()
            if processes.forked_twice():
                self._control.close()
                self._become(order, end, session.config)
                return
            end.close()

    def _become(self, spec: dict[str, Any], end: socket.socket, config: Any) -> None:
        self.joined = suite.join(spec, end, self._memo, trace=False)
        if not spec["asserts"]:
            recollect.without_rewriting()
        for plugin in self.joined.plugins:
            config.pluginmanager.register(plugin)
        late = self._conftests.load(config)
        if late:
            self.joined.lines.send({"state": "early", "hook": late})
            os._exit(0)


def foreign_modules(root: str) -> list[str]:
    """Modules of the work tree that are loaded."""
    found = {name: getattr(module, "__file__", None) or "" for name, module in list(sys.modules.items())}
    return sorted(name for name, path in found.items() if path.startswith(root + "/"))


def main(spec: dict[str, Any], control: socket.socket, memo: Memo) -> NoReturn:
    """Begin and serve."""
    root = session.prepare(spec)
    plugin = BasePlugin(root, Lines(control), memo, LateConftests())
    code = session.run(spec, root, [plugin])
    if plugin.joined is not None:
        suite.finish(plugin.joined, code)
    os._exit(0)
