"""Second copies of a repository's code that the host has: found by name, and covered in every sandbox of the image."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from samples import ABACUS

from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.repos import copies, images, interpreters
from swesmith_gym.sandboxes import covers
from swesmith_gym.sandboxes.base import Mount

NUMBERS = (ABACUS / "src/abacus/numbers.py").read_text()
PARTS = {"__init__.py": "", "numbers.py": NUMBERS}
SHOWN = "/opt/host"


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that sandboxes show of the host, in place of its `/usr`."""
    monkeypatch.setenv("SWESMITH_GYM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(covers, "shown", lambda _root_fs, mounts=(): list(mounts))
    folder = tmp_path / "host"
    folder.mkdir()
    return folder


def covered(host: Path, tree: Path = ABACUS) -> list[str]:
    copies._files.cache_clear()
    found = copies.covered(tree, "python", "host", (Mount(host, SHOWN),))
    return [path.removeprefix(f"{SHOWN}/") for path in found]


@pytest.mark.parametrize(
    "place", ["lib/python3/dist-packages", "local/lib/python3.12/site-packages", "lib/cloud/third_party", "x/_vendor"]
)
def test_a_package_is_covered_wherever_it_lies(host: Path, place: str) -> None:
    write(host / place / "abacus", PARTS)
    write(host / place / "other", PARTS)
    assert covered(host) == [f"{place}/abacus"]


def test_archives_byte_code_and_what_tells_of_a_copy(host: Path) -> None:
    with zipfile.ZipFile(host / "pip.whl", "w") as wheel:
        wheel.writestr("pip/_vendor/abacus/numbers.py", NUMBERS)
    (host / "torn.whl").write_bytes(b"PK")
    write(host / "lib", {"abacus/__init__.py": "", "abacus/__pycache__/numbers.cpython-311.pyc": ""})
    write(host / "lib", {"Abacus-1.0.dist-info/METADATA": "", "abacus_tools-1.0.dist-info/METADATA": ""})
    assert covered(host) == ["lib/Abacus-1.0.dist-info", "lib/abacus", "pip.whl"]


def test_namesakes_and_the_standard_library_stay(host: Path, tmp_path: Path) -> None:
    write(host, {"lib/abacus/__init__.py": "", "lib/abacus/gui.py": "", "bin/abacus.py": ""})
    write(host / "lib/python3.11", {f"json/{name}": text for name, text in PARTS.items()})
    tree = write(tmp_path / "tree", {f"json/{name}": text for name, text in PARTS.items()})
    assert covered(host) == []
    assert covered(host, tree) == []
    write(host / "lib/python3.11/site-packages", {f"json/{name}": text for name, text in PARTS.items()})
    assert covered(host, tree) == ["lib/python3.11/site-packages/json"]


def test_a_single_module_goes_by_its_text(host: Path, tmp_path: Path) -> None:
    tree = write(tmp_path / "tree", {"six.py": NUMBERS, "setup.py": "", "tests/test_six.py": "def test(): pass\n"})
    write(host / "a", {"six.py": f"{NUMBERS}# of another release\n", "__pycache__/six.cpython-312.pyc": ""})
    write(host / "b", {"six.py": "something = 'else altogether'\n", "__pycache__/six.cpython-312.pyc": ""})
    write(host / "b", {"setup.py": "", "tests/test_six.py": "def test(): pass\n"})
    assert covered(host, tree) == ["a/__pycache__/six.cpython-312.pyc", "a/six.py"]


def test_a_copy_behind_a_link_is_covered_where_it_is(host: Path) -> None:
    write(host / "share/abacus-2", PARTS)
    (host / "lib").mkdir()
    (host / "lib/abacus").symlink_to("../share/abacus-2")
    assert covered(host) == ["share/abacus-2"]


def test_what_came_and_went_since_the_last_look(host: Path) -> None:
    write(host / "lib/tools", {"main.py": ""})
    assert covered(host) == []
    times = os.stat(host / "lib")
    write(host / "lib/abacus", PARTS)
    os.utime(host / "lib", ns=(times.st_atime_ns, times.st_mtime_ns))  # as tools that unpack do
    assert covered(host) == ["lib/abacus"]
    shutil.rmtree(host / "lib/abacus")
    assert covered(host) == []


def test_the_listing_is_made_once(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(host / "lib/abacus", PARTS)
    assert covered(host) == ["lib/abacus"]
    monkeypatch.setattr(copies, "_walk", None)
    assert covered(host) == ["lib/abacus"]


@pytest.mark.sandbox
@pytest.mark.network
def test_the_original_cannot_be_read_inside(abacus: Testbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = write(tmp_path / "host", {"kept.py": "kept = 1\n", "closed/abacus/numbers.py": NUMBERS})
    write(host / "lib/abacus", PARTS)
    (host / "lib/numbers.py").symlink_to("abacus/numbers.py")
    (host / "closed").chmod(0o700)
    monkeypatch.setattr(interpreters, "mounts", lambda _prefix: (Mount(host, SHOWN),))
    spec = images.spec(abacus.image)
    assert spec.covered == (f"{SHOWN}/closed/abacus/numbers.py", f"{SHOWN}/lib/abacus")
    with abacus.backend.start(spec) as sandbox:
        assert sandbox.run(f"cat {SHOWN}/lib/abacus/* {SHOWN}/lib/numbers.py").stdout == b""
        assert sandbox.run(f"cat {SHOWN}/kept.py").stdout == b"kept = 1\n"
        assert sandbox.run(f"touch {SHOWN}/lib/abacus/new").exit_code != 0
        found = sandbox.run("find / -path /proc -prune -o -name numbers.py -size +0 -path '*abacus*' -print").stdout
        assert found == b"/testbed/src/abacus/numbers.py\n"
    shutil.rmtree(host / "lib")
    with abacus.backend.start(spec) as sandbox:  # what is gone needs no cover
        assert sandbox.run("true").exit_code == 0
