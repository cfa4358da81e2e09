"""Environments as one file: what goes out comes in, and what is no environment stays out."""

from __future__ import annotations

import io
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from swesmith_gym.errors import InputError
from swesmith_gym.records import EnvImage, RepoProfile, TestSetup
from swesmith_gym.repos import images, profiles, transfer
from swesmith_gym.sandboxes import roots
from swesmith_gym.sandboxes.scripted import ScriptedBackend

PROFILE = RepoProfile(name="thing", source="pypi:thing==1", source_hash="a" * 64)
BACKEND = ScriptedBackend()


@pytest.fixture
def move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Chooses the state folder: two machines."""

    def to(name: str) -> Path:
        monkeypatch.setenv("SWESMITH_GYM_HOME", str(tmp_path / name))
        return tmp_path / name

    to("here")
    return to


def make_root(tmp_path: Path) -> roots.RootFs:
    archive = tmp_path / "root.tar"
    with tarfile.open(archive, "w") as tar:
        for name, data in (("usr/bin/python3.11", b"\x003.11.2\x00"), ("etc/shadow", b"secret")):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o640
            tar.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("usr/bin/python3")
        link.type, link.linkname = tarfile.SYMTYPE, "python3.11"
        tar.addfile(link)
        device = tarfile.TarInfo("dev/null")
        device.type = tarfile.CHRTYPE
        tar.addfile(device)
    return roots.take(archive, name="tiny", origin="tar:root.tar")


def publish(root_fs: str) -> EnvImage:
    profiles.save(PROFILE, "pytest==8.0\n")
    image = EnvImage(
        key=images.key_of("thing", "f" * 64),
        repo="thing",
        language="python",
        fingerprint="f" * 64,
        root_fs=root_fs,
        interpreter_version="3.11.2",
        interpreter_prefix="",
        lock_hash="0",
        source=PROFILE.source,
        license="MIT",
        test=TestSetup(),
        surface=(),
        surface_roots=(),
        baseline={},
        quarantined={},
        suite_s=1.0,
    )
    with images.making("thing", BACKEND) as where:
        (where / "env" / "bin").mkdir(parents=True)
        (where / "env" / "bin" / "python").symlink_to("/usr/bin/python3")
        (where / "testbed").mkdir()
        (where / "testbed" / "run").write_text("#!/bin/sh\n")
        (where / "testbed" / "run").chmod(0o755)
        images.publish(where, image, "pytest==8.0\n", "log", BACKEND)
    return image


def test_a_root_file_system_is_kept_as_data(move: object, tmp_path: Path) -> None:
    root = make_root(tmp_path)
    assert (root.python, root.python_version, root.id[:13]) == ("/usr/bin/python3", "3.11.2", "tar:root.tar@")
    assert roots.names() == ["tiny"]
    assert roots.with_id(root.id) == "tiny"
    assert not (root.folder / "dev/null").exists()
    assert (root.folder / "etc/shadow").stat().st_mode & 0o7 == 0
    with pytest.raises(InputError, match="already"):
        make_root(tmp_path)
    roots.remove("tiny")
    with pytest.raises(InputError, match="images bootstrap"):
        roots.load("tiny")
    with pytest.raises(InputError, match="not here"):
        roots.with_id(root.id)


def test_what_goes_out_comes_in(move: object, tmp_path: Path) -> None:
    root = make_root(tmp_path)
    image = publish(root.id)
    archive = tmp_path / "thing.tar.gz"
    transfer.write(image, archive, root=True)
    move("there")  # type: ignore[operator]
    assert transfer.read(archive, BACKEND) == image
    assert transfer.read(archive, BACKEND) == image  # a second time changes nothing
    folder = images.folder(image.key)
    assert os.readlink(folder / "env/bin/python") == "/usr/bin/python3"
    assert os.access(folder / "testbed/run", os.X_OK)
    assert profiles.load("thing") == PROFILE
    assert roots.load("tiny") == root
    assert [path.name for path in folder.parent.iterdir()] == [image.key]


def test_without_its_root_it_stays_out(move: object, tmp_path: Path) -> None:
    image = publish(make_root(tmp_path).id)
    archive = tmp_path / "thing.tar.gz"
    transfer.write(image, archive)
    move("there")  # type: ignore[operator]
    with pytest.raises(InputError, match="not here"):
        transfer.read(archive, BACKEND)
    assert images.all_keys() == []


def test_an_environment_on_the_hosts_root_does_not_go_out(move: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--root-fs"):
        transfer.write(publish("host"), tmp_path / "x.tar.gz")
    assert not (tmp_path / "x.tar.gz").exists()


@pytest.mark.parametrize("name", ["../out", "/abs", "environment/../../out", "link/inside"])
def test_a_hostile_archive_writes_nothing_outside(move: object, tmp_path: Path, name: str) -> None:
    archive = tmp_path / "hostile.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
        tar.addfile(link)
        member = tarfile.TarInfo(name)
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    before = sorted(tmp_path.iterdir())
    with pytest.raises((InputError, OSError)):
        transfer.read(archive, BACKEND)
    assert [path for path in sorted(tmp_path.iterdir()) if path.name != "here"] == before


def test_a_key_that_is_not_its_content_s(move: object, tmp_path: Path) -> None:
    image = replace(publish(make_root(tmp_path).id), key="other-000000000000")
    folder = images.folder("other-000000000000")
    images.folder("thing-ffffffffffff").rename(folder)
    (folder / "image.json").write_text(images.to_json(image))
    transfer.write(image, tmp_path / "x.tar.gz", root=True)
    with pytest.raises(InputError, match="key"):
        transfer.read(tmp_path / "x.tar.gz", BACKEND)


def test_what_is_no_archive(move: object, tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"no archive at all")
    with pytest.raises(InputError, match="no exported environment"):
        transfer.read(tmp_path / "x.tar.gz", BACKEND)
