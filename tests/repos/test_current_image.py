"""Which image counts as a repository's: the one of its profile as it is now, whatever was built later."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from swesmith_gym.errors import InputError
from swesmith_gym.records import EnvImage, RepoProfile, TestSetup
from swesmith_gym.repos import images, interpreters, profiles, resolve
from swesmith_gym.repos.build import _fingerprint, current
from swesmith_gym.sandboxes.bubblewrap import Bubblewrap

LOCK = "pytest==8.0\n"
PROFILE = RepoProfile(name="thing", source="pypi:thing==1", source_hash="a" * 64, interpreter="3.11")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWESMITH_GYM_HOME", str(tmp_path))
    profiles.save(PROFILE, LOCK)
    return tmp_path


def publish(profile: RepoProfile, version: str, age_s: int, lock: str = LOCK) -> EnvImage:
    fingerprint = _fingerprint(profile, version, lock, "host")
    image = EnvImage(
        key=images.key_of(profile.name, fingerprint),
        repo=profile.name,
        language="python",
        fingerprint=fingerprint,
        root_fs="host",
        interpreter_version=version,
        interpreter_prefix="",
        lock_hash=hashlib.sha256(lock.encode()).hexdigest(),
        source=profile.source,
        license="",
        test=TestSetup(),
        surface=(),
        surface_roots=(),
        baseline={},
        quarantined={},
        suite_s=1.0,
    )
    path = images.folder(image.key) / "image.json"
    path.parent.mkdir(parents=True)
    path.write_text(images.to_json(image))
    os.utime(path, (1_700_000_000 - age_s,) * 2)
    return image


def test_the_image_of_the_profile_wins_over_a_newer_one() -> None:
    mine = publish(PROFILE, "3.11.2", age_s=50)
    publish(replace(PROFILE, source="pypi:thing==2", source_hash="b" * 64), "3.11.2", age_s=10)
    publish(PROFILE, "3.11.2", age_s=5, lock="pytest==9.0\n")
    assert current(PROFILE) == mine
    assert resolve.built("thing", Bubblewrap()).image == mine


def test_a_new_version_asks_for_a_build() -> None:
    publish(PROFILE, "3.11.2", age_s=50)
    profiles.save(replace(PROFILE, source="pypi:thing==2", source_hash="b" * 64), LOCK)
    with pytest.raises(InputError, match="run `swesmith-gym repos build thing`"):
        resolve.built("thing", Bubblewrap())
    profiles.save(PROFILE, "")
    assert current(PROFILE) is None


def test_another_python_counts_only_where_the_right_one_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    other = publish(PROFILE, "3.12.1", age_s=5)
    monkeypatch.setattr(interpreters, "has", lambda minor, root_fs: True)
    assert current(PROFILE) is None
    monkeypatch.setattr(interpreters, "has", lambda minor, root_fs: False)
    assert current(PROFILE) == other
    assert current(replace(PROFILE, name="other")) is None
