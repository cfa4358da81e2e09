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

    Fields: `report` (path), `root`, `args`, `paths`, `plugins`, `ignored_args`, `tests` (ids or null), `texts` (of
    failures), `collect_only`, `shuffle` (seed or null), `left_out` (files that are not collected), `test_timeout_s`
    (null: no limit of wall time), `cpu_limits` (null, or `tests`: id -> seconds, and `default`).
    """
    spec = json.loads(sys.stdin.buffer.read())
    empty_stdin()
    channel = Channel(spec["report"])
    channel.send("start", python=sys.version.split()[0])
    root = prepare(spec)

    from .plugin import ReportPlugin  # after pytest, which must come before the work tree is on the path

    chosen = {name: spec[name] for name in ("tests", "collect_only", "shuffle", "left_out")}
    report = ReportPlugin(channel, root, **chosen)
    code = run(spec, root, [report, *limits(spec, channel)])
    channel.send("end", exit=code)
    return code


def prepare(spec: dict[str, Any]) -> str:
    """The environment and the folder of a run; pytest is loaded. Gives the root without links."""
    for name in CLEARED:
        os.environ.pop(name, None)
    root: str = os.path.realpath(spec["root"])
    os.chdir(root)
    import pytest  # noqa: F401  (before the work tree is on the path: nothing in it can stand in for pytest)

    return root


def limits(spec: dict[str, Any], channel: Channel) -> list[Any]:
    """The plug-ins that hold the limits for single tests which a specification sets."""
    from .limit import CpuLimitPlugin, LimitPlugin

    found: list[Any] = []
    if spec["test_timeout_s"]:
        found.append(LimitPlugin(float(spec["test_timeout_s"])))
    if spec["cpu_limits"]:
        found.append(CpuLimitPlugin(channel, spec["cpu_limits"]["tests"], spec["cpu_limits"]["default"]))
    return found


def run(spec: dict[str, Any], root: str, plugins: list[Any]) -> int:
    """Exit code of pytest with these plug-ins."""
    import pytest

    args = arguments(spec, root)
    _pose_as_pytest(root, args)
    return int(pytest.main(args, plugins=plugins))


def arguments(spec: dict[str, Any], root: str) -> list[str]:
    """The command line of pytest: ours, then the repository's."""
    args = [f"--rootdir={root}", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
    args += ["--tb=short" if spec["texts"] else "--tb=no"]
    args += ["-W", "ignore::pytest.PytestConfigWarning", "-W", "ignore::pytest.PytestDeprecationWarning"]
    args += ["-o", "required_plugins="]  # they are loaded by name, which pytest does not count
    configured = options.config_addopts(root, spec["paths"])
    if configured is not None:
        kept = options.without(configured, spec["ignored_args"])
        args += ["-o", "addopts=" + " ".join(shlex.quote(word) for word in kept)]
    for name in spec["plugins"]:
        args += ["-p", name]
    return [*args, *spec["args"], *spec["paths"]]


def empty_stdin() -> None:
    """Whatever a test reads from standard input is at its end."""
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
