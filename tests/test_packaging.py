"""What is shipped: the root links, the wheel's content, and that everything imported is declared."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from import_graph import PACKAGE, ROOT, imports

DATA = (".toml", ".lock", ".parquet", ".json", ".j2", ".css", ".js", ".typed", ".py")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def tracked() -> list[str]:
    """Files of the package as committed or about to be."""
    done = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).exists()]


@pytest.mark.parametrize("name", ["envs", "wrappers"])
def test_the_root_links_lead_into_the_package(name: str) -> None:
    link = ROOT / name
    assert link.is_symlink()
    assert not link.readlink().is_absolute()
    assert link.resolve() == ROOT / PACKAGE / name


def test_what_is_imported_is_declared() -> None:
    declared = {_plain(re.split(r"[^\w.-]", text)[0]) for text in _requirements()}
    known = packages_distributions()
    undeclared = {
        f"{found.source} imports {name}"
        for found in imports()
        if (name := found.target.split(".")[0]) not in (*sys.stdlib_module_names, PACKAGE, "_pytest")
        and not declared & {_plain(distribution) for distribution in known.get(name, [name])}
    }
    assert not undeclared


def _requirements() -> Iterator[str]:
    yield from PROJECT["project"]["dependencies"]
    for extra in PROJECT["project"]["optional-dependencies"].values():
        yield from extra


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_version_is_said_once() -> None:
    source = (ROOT / PACKAGE / "__init__.py").read_text("utf-8")
    assert f'__version__ = "{PROJECT["project"]["version"]}"' in source


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names in a wheel that was built from a copy of the checkout."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in tracked():
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target, follow_symlinks=False)
    out = tmp_path_factory.mktemp("dist")
    command = [
        sys.executable,
        "-m",
        "uv",
        "build",
        "--quiet",
        "--wheel",
        "--no-config",
        "--out-dir",
        str(out),
        str(copy),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


@pytest.mark.slow
@pytest.mark.network
def test_the_wheel_holds_the_package_with_its_data(wheel: set[str]) -> None:
    wanted = {name for name in tracked() if name.startswith(f"{PACKAGE}/") and Path(name).suffix in DATA}
    wanted |= {name for name in tracked() if name == f"{PACKAGE}/py.typed"}
    assert wanted
    assert not wanted - wheel


@pytest.mark.slow
@pytest.mark.network
def test_the_wheel_holds_the_package_and_the_licence_and_nothing_else(wheel: set[str]) -> None:
    assert {name.split("/")[0] for name in wheel if ".dist-info/" not in name} == {PACKAGE}
    assert [name for name in wheel if name.endswith(".dist-info/licenses/LICENSE")]
    assert not [name for name in wheel if name.endswith((".pyc", ".orig", ".rej")) or "__pycache__" in name]
