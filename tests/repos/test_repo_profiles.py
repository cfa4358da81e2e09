"""Profile files: what is written is read back, what is wrong is named, and the shipped ones are whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from swesmith_gym.errors import InputError, ProfileError
from swesmith_gym.records import RepoProfile, TestSetup
from swesmith_gym.repos import profiles

FULL = RepoProfile(
    name="a-b.c_1",
    source="pypi:a==1",
    source_hash="0" * 64,
    interpreter="3.11",
    requirements=("a @ file:///testbed", 'six; python_version < "3"', "x" * 120),
    install=("export X='1'", 'echo "\\ \t\x7f"'),
    test=TestSetup(("-k", "not slow"), ("tests",), ("p.q",), ("-n", "auto"), {"A": "ü \n"}, 12.5),
    license="MIT",
    quarantine={"tests/a.py::t[x y]": "needs a display"},
    approved=True,
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWESMITH_GYM_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("profile", [FULL, RepoProfile("x", "local:/x", "1")])
def test_a_profile_is_read_back_as_written(profile: RepoProfile) -> None:
    profiles.save(profile)
    assert profiles.load(profile.name) == profile


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "x"\nsource = "s"\nsource_hash = "h"\nsurprise = 1\n', "unknown field `surprise`"),
        ('name = "x"\nsource = "s"\n', "`source_hash` is missing"),
        ('name = "x"\nsource = 3\nsource_hash = "h"\n', "`source` must be a string, not 3"),
        ('name = "x"\nsource = "s"\nsource_hash = "h"\ninstall = ["a", 1]\n', "`install` must be a list of strings"),
        ('name = "x"\nsource = "s"\nsource_hash = "h"\n[test]\ntimeout_s = "1"\n', "`test.timeout_s` must be a number"),
        ('name = "x"\nsource = "s"\nsource_hash = "h"\n[test]\ntimeout_s = 0\n', "between 0 and 86400"),
        ('name = "x"\nsource = "s"\nsource_hash = "h"\n[test]\nwho = 0\n', "unknown field `test.who`"),
        ('name = "../x"\nsource = "s"\nsource_hash = "h"\n', "not a usable name"),
        ("name = ", "not TOML"),
        ("test = 1", "`test` must be a table"),
    ],
)
def test_a_wrong_field_is_named_on_one_line(text: str, said: str) -> None:
    with pytest.raises(ProfileError, match=re.escape(said)) as caught:
        profiles.parse(text, "x.toml")
    assert str(caught.value).startswith("x.toml: ")
    assert "\n" not in str(caught.value)


def test_a_users_profile_comes_before_a_shipped_one() -> None:
    shipped = profiles.load("h11")
    mine = RepoProfile("h11", "local:/x", "1")
    assert profiles.lock("h11")
    profiles.save(mine)
    assert profiles.load("h11") == mine
    assert profiles.lock("h11") == ""
    profiles.keep_lock(mine, "six==1\n")
    profiles.keep_lock(mine, "other\n")
    assert profiles.lock("h11") == "six==1\n"
    profiles.remove("h11")
    assert profiles.load("h11") == shipped


def test_a_shipped_profile_cannot_be_removed_but_approved() -> None:
    with pytest.raises(ProfileError, match="cannot be removed"):
        profiles.remove("h11")
    lock = profiles.lock("h11")
    assert profiles.approve("h11").approved
    assert profiles.path_of("h11").parent == profiles.user_folder()
    assert profiles.lock("h11") == lock


def test_an_unknown_repository_is_said_so() -> None:
    with pytest.raises(ProfileError, match=r"no repository 'nope'; known are .*sqlparse.*repos add"):
        profiles.load("nope")
    with pytest.raises(InputError):
        profiles.load("../../etc/passwd")


def test_the_shipped_profiles_are_whole() -> None:
    names = sorted(path.stem for path in profiles.shipped_folder().glob("*.toml"))
    assert len(names) >= 46
    for name in names:
        profile = profiles.load(name)
        assert re.fullmatch(rf"pypi:{name}==[\d.]+(post\d+)?", profile.source)
        assert re.fullmatch(r"[0-9a-f]{64}", profile.source_hash)
        assert re.search("MIT|BSD|Apache|ISC|GPL", profile.license)
        assert profile.approved
        lock = profiles.lock(name)
        pinned = re.findall(r"^([\w.-]+)==\S+", lock, re.MULTILINE)
        assert "pytest" in pinned
        assert name not in pinned
        assert lock.count("--hash=sha256:") >= len(pinned)
        assert "file:" not in lock
