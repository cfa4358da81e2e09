"""One run: read the specification, start pytest as `python -m pytest` would, report its end."""

from __future__ import annotations

import json
import os
import shlex
import sys
from typing import Any

from . import options
from .channel import Channel

CLEARED = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DEBUG", "PYTEST_THEME", "PYTEST_THEME_MODE")


def main() -> int:
    """Exit code of pytest. The specification is one JSON object on standard input.

    Fields: `report` (path), `root`, `args`, `paths`, `plugins`, `ignored_args`, `tests` (ids or null),
    `texts` (of failures), `collect_only`, `test_timeout_s` (null: no limit).
    """
    spec = json.loads(sys.stdin.buffer.read())
    _empty_stdin()
    channel = Channel(spec["report"])
    channel.send("start", python=sys.version.split()[0])
    for name in CLEARED:
        os.environ.pop(name, None)
    root = os.path.realpath(spec["root"])
    os.chdir(root)

    import pytest  # before the work tree is on the path: nothing in it can stand in for pytest

    from .limit import LimitPlugin
    from .plugin import ReportPlugin

    plugins: list[Any] = [ReportPlugin(channel, root, spec["tests"], spec["collect_only"])]
    if spec["test_timeout_s"]:
        plugins.append(LimitPlugin(float(spec["test_timeout_s"])))
    args = arguments(spec, root)
    _pose_as_pytest(root, args)
    code = int(pytest.main(args, plugins=plugins))
    channel.send("end", exit=code)
    return code


def arguments(spec: dict[str, Any], root: str) -> list[str]:
    """The command line of pytest: ours, then the repository's."""
    args = [f"--rootdir={root}", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
    args += ["--tb=short" if spec["texts"] else "--tb=no"]
    args += ["-W", "ignore::pytest.PytestConfigWarning"]
    configured = options.config_addopts(root, spec["paths"])
    if configured is not None:
        kept = options.without(configured, spec["ignored_args"])
        args += ["-o", "addopts=" + " ".join(shlex.quote(word) for word in kept)]
    for name in spec["plugins"]:
        args += ["-p", name]
    return [*args, *spec["args"], *spec["paths"]]


def _empty_stdin() -> None:
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  (lives as long as the process)


def _pose_as_pytest(root: str, args: list[str]) -> None:
    """Make `sys.path`, `sys.argv` and `__main__` what `python -m pytest` gives: tests and spawned processes look."""
    import importlib.util

    entry = importlib.util.find_spec("pytest.__main__")
    sys.path[0] = root
    module = sys.modules["__main__"]
    if entry is not None and entry.origin is not None:
        sys.argv = [entry.origin, *args]
        module.__spec__, module.__file__, module.__package__ = entry, entry.origin, "pytest"
