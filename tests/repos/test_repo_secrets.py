"""Logins in addresses: used where they belong, stored and shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from swesmith_gym.errors import ProfileError
from swesmith_gym.repos import index, sources


def test_a_login_is_left_out_of_what_is_shown() -> None:
    assert index.bare("https://user:token@host/x.git") == "https://host/x.git"
    assert index.bare("git@host:x.git") == "git@host:x.git"


def test_files_on_the_same_host_are_fetched_with_the_indexs_login() -> None:
    assert index._with_login("https://host/f.tar.gz", "https://u:p@host/simple") == "https://u:p@host/f.tar.gz"
    assert index._with_login("https://other/f.tar.gz", "https://u:p@host/simple") == "https://other/f.tar.gz"


def test_a_git_error_shows_no_login(home: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        sources.fetch("https://user:secret-token@127.0.0.1:9/x.git@main")
    assert "secret-token" not in f"{caught.value} {caught.value.log}"


@pytest.mark.parametrize("url", ["http://[x", "http://a b", "ftp://host"])
def test_an_index_address_that_is_none(home: Path, url: str) -> None:
    with pytest.raises(ProfileError, match="index"):
        sources.fetch("pypi:six==1.16.0", index_url=url)
