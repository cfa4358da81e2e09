"""Runs the real runner, as a process of its own, on small trees written for one test."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_trees import Tree, write_tree
from warm_process import Runner

from swesmith_gym.languages.python.language import Python
from swesmith_gym.languages.python.testing import report
from swesmith_gym.records import TestReport, TestSetup


def run_tree(root: Path, scratch: Path, byte_code: Path, setup: TestSetup | None = None, **options: Any) -> TestReport:
    """One run of the runner on the tree at `root`; the report goes to `scratch`."""
    options = {"tests": None, "collect_only": False, **options}
    options["env"] = {"PYTHONDONTWRITEBYTECODE": "", **(options.get("env") or {})}
    target = scratch / "report.jsonl"
    target.unlink(missing_ok=True)
    made = report.command(setup or TestSetup(), str(target), root=str(root), **options)
    env = {"PATH": os.environ["PATH"], "HOME": str(scratch), **made.env, "PYTHONPYCACHEPREFIX": str(byte_code)}
    started = time.perf_counter()
    entry = str(Python.tools / "run.py")
    done = subprocess.run([sys.executable, entry], input=made.stdin, env=env, cwd="/", capture_output=True, check=False)
    return report.parse(
        target.read_bytes() if target.exists() else b"",
        exit_code=done.returncode if done.returncode >= 0 else None,
        timed_out=False,
        duration_s=time.perf_counter() - started,
        log=(done.stdout + done.stderr).decode("utf-8", "replace"),
    )


@pytest.fixture(scope="session")
def byte_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Byte code of the standard library and of pytest, shared by all runs."""
    return tmp_path_factory.mktemp("byte_code")


@pytest.fixture
def runner(tmp_path: Path, byte_code: Path) -> Callable[..., TestReport]:
    """`runner(files, setup, **options)`: write the files into an empty tree and run its tests."""
    root = tmp_path / "tree"
    root.mkdir()

    def run(files: Tree, setup: TestSetup | None = None, **options: Any) -> TestReport:
        write_tree(root, files)
        return run_tree(root, tmp_path, byte_code, setup, **options)

    return run


@pytest.fixture
def warm(tmp_path: Path, byte_code: Path) -> Iterator[Callable[..., Runner]]:
    started: list[Runner] = []

    def start(files: dict[str, str], **setup: Any) -> Runner:
        write_tree(tmp_path / "tree", files)
        started.append(Runner(tmp_path / "tree", tmp_path, byte_code, **setup))
        return started[-1]

    yield start
    for each in started:
        assert each.process.stdin is not None
        each.process.stdin.close()
        each.process.wait(10)
